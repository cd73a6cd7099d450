"""Who may merge whom."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import Settings

from accounts.models import AssignedBranch, Branch, BranchMembership, Right, Role, Status, User
from accounts.services import deactivate, delete_account
from accounts.tests.people import merged, person, power_user, superadmin
from merging import services
from merging.errors import MergeRefused
from merging.models import Merge

pytestmark = pytest.mark.django_db

BOTH = (Right.VIEW, Right.EDIT)


def blockers(actor: User, source: User, destination: User) -> list[str]:
    plan = services.preview(
        actor=actor, source_id=source.pk, destination_id=destination.pk, policy="best_record", choices=None
    )
    return [blocker.code for blocker in plan.blockers]


def refusal(actor: User, source: User, destination: User, **more: Any) -> MergeRefused:
    """The refusal of the preview is the refusal of the merge; nothing is merged."""
    before = Merge.objects.count()
    with pytest.raises(MergeRefused) as error:
        merged(source, destination, actor=actor, **more)
    assert blockers(actor, source, destination)[0] == error.value.code
    assert Merge.objects.count() == before
    return error.value


@pytest.mark.parametrize(
    ("role", "place"),
    [
        pytest.param(Role.SUPERADMIN, "source", marks=pytest.mark.covers("S3.5")),
        pytest.param(Role.SUPERADMIN, "destination", marks=pytest.mark.covers("S3.6")),
        pytest.param(Role.POWER_USER, "source", marks=pytest.mark.covers("S3.7")),
        pytest.param(Role.POWER_USER, "destination", marks=pytest.mark.covers("S3.8")),
    ],
)
def test_it_refuses_privileged_subjects(role: Role, place: str) -> None:
    root, learner, other = superadmin(), person("jane"), person("other", role=role)
    pair = (other, learner) if place == "source" else (learner, other)
    error = refusal(root, *pair)
    assert (error.code, error.facts) == ("not_a_learner", {"account": place})


@pytest.mark.covers("S3.9", "S3.10")
def test_a_superadmin_merges_any_two_learners() -> None:
    source, destination = person("old"), person("new")
    assert blockers(superadmin(), source, destination) == []
    assert merged(source, destination).status == Merge.Status.DONE
    assert source.merged_into == destination


@pytest.mark.covers("S3.11")
def test_a_power_user_merges_two_assigned_learners() -> None:
    source, destination = person("old"), person("new")
    actor = power_user(*BOTH, sees=(source, destination))
    assert merged(source, destination, actor=actor).performed_by == actor


@pytest.mark.covers("S3.11")
def test_assigned_by_a_branch_above_counts_too() -> None:
    source, destination = person("old"), person("new")
    top = Branch.objects.create(name="Top")
    below = Branch.objects.create(name="Below", parent=top)
    for account in (source, destination):
        BranchMembership.objects.create(user=account, branch=below)
    actor = power_user(*BOTH)
    AssignedBranch.objects.create(power_user=actor, branch=top)
    assert blockers(actor, source, destination) == []


@pytest.mark.covers("S3.17", "S3.105")
def test_a_power_user_by_branch_keeps_the_source_whose_branch_moved() -> None:
    source, destination = person("old"), person("new")
    top = Branch.objects.create(name="Top")
    below = Branch.objects.create(name="Below", parent=top)
    BranchMembership.objects.create(user=source, branch=below)
    BranchMembership.objects.create(user=destination, branch=top)
    actor, stranger = power_user(*Right), power_user(*Right, username="stranger")
    AssignedBranch.objects.create(power_user=actor, branch=top)
    merged(source, destination, actor=actor)
    assert not source.branch_memberships.exists()
    assert source not in User.objects.visible_to(stranger)
    deactivate(actor=actor, account_id=source.pk, origin="test")
    delete_account(actor=actor, account_id=source.pk, origin="test")
    assert User.objects.get(pk=source.pk).status == Status.DELETED


@pytest.mark.parametrize(
    "missing",
    [
        pytest.param(Right.VIEW, marks=pytest.mark.covers("S3.12")),
        pytest.param(Right.EDIT, marks=pytest.mark.covers("S3.13")),
    ],
)
def test_a_power_user_needs_both_rights(missing: Right) -> None:
    source, destination = person("old"), person("new")
    actor = power_user(*(right for right in Right if right != missing), sees=(source, destination))
    assert refusal(actor, source, destination).code == "not_allowed"


@pytest.mark.parametrize(
    "unassigned",
    [
        pytest.param("old", marks=pytest.mark.covers("S3.14")),
        pytest.param("new", marks=pytest.mark.covers("S3.15")),
    ],
)
def test_a_power_user_needs_both_accounts(unassigned: str) -> None:
    source, destination = person("old"), person("new")
    seen = tuple(one for one in (source, destination) if one.username != unassigned)
    error = refusal(power_user(*Right, sees=seen), source, destination)
    assert error.code == "not_allowed"
    assert error.facts == {}


@pytest.mark.covers("S3.18")
def test_a_learner_merges_nobody_not_even_into_themselves() -> None:
    source, destination = person("old"), person("new")
    for actor in (person("third"), source, destination):
        assert refusal(actor, source, destination).code == "not_allowed"


def test_the_refusal_of_somebody_without_rights_tells_nothing_else() -> None:
    source, destination = person("old", role=Role.SUPERADMIN), person("new", status=Status.INACTIVE)
    assert blockers(person("third"), source, destination) == ["not_allowed"]


def test_rights_lost_since_the_review_count() -> None:
    source, destination = person("old"), person("new")
    actor = power_user(*BOTH, sees=(source, destination))
    User.objects.filter(pk=actor.pk).update(rights=[])
    with pytest.raises(MergeRefused) as error:
        merged(source, destination, actor=actor)
    assert error.value.code == "not_allowed"


@pytest.mark.covers("S2.11")
def test_one_account_is_not_merged_into_itself() -> None:
    account = person("jane")
    assert refusal(superadmin(), account, account).code == "same_account"


def test_an_inactive_source_is_merged() -> None:
    source, destination = person("old", status=Status.INACTIVE), person("new")
    merged(source, destination)
    assert source.merged_into == destination


def test_an_inactive_destination_is_refused() -> None:
    source, destination = person("old"), person("new", status=Status.INACTIVE)
    assert refusal(superadmin(), source, destination).code == "inactive_destination"


@pytest.mark.parametrize("place", ["source", "destination"])
def test_a_deleted_account_is_refused(place: str) -> None:
    root, learner, other = superadmin(), person("jane"), person("other")
    delete_account(actor=root, account_id=other.pk)
    pair = (other, learner) if place == "source" else (learner, other)
    assert refusal(root, *pair).code == "account_deleted"


def test_merging_can_be_switched_off_and_undo_goes_on(settings: Settings) -> None:
    root, source, destination = superadmin(), person("old"), person("new")
    merge = merged(source, destination)
    settings.MERGING_ENABLED = False
    assert refusal(root, person("third"), destination).code == "merging_is_off"
    assert services.undo_merge(actor=root, merge_id=merge.pk, reason="wrong").status == Merge.Status.UNDONE


class TestChains:
    def test_a_merged_source_goes_only_where_it_went_before(self) -> None:
        root, source, survivor, third = superadmin(), person("old"), person("new"), person("third")
        merged(source, survivor)
        error = refusal(root, source, third)
        assert (error.code, error.facts) == ("already_merged", {"survivor": survivor.pk})
        assert str(survivor) in error.detail
        again = merged(source, survivor)
        assert again.follows is not None

    def test_the_end_of_the_chain_is_its_survivor(self) -> None:
        root, first, second, third = superadmin(), person("first"), person("second"), person("third")
        merged(first, second)
        merged(second, third)
        assert refusal(root, first, second).facts == {"survivor": third.pk}
        merged(first, third)
        assert first.merged_into == second
        assert first.survivor() == third

    def test_no_chain_turns_in_a_circle(self) -> None:
        root, first, second, third = superadmin(), person("first"), person("second"), person("third")
        merged(first, second)
        merged(second, third)
        for source, destination in ((second, first), (third, first), (third, second)):
            error = refusal(root, source, destination)
            assert error.code == "already_merged"

    def test_a_merged_inactive_destination_names_its_survivor(self) -> None:
        root, source, middle, survivor = superadmin(), person("old"), person("middle"), person("new")
        merged(middle, survivor, policy="keep_primary")
        error = refusal(root, source, middle)
        assert (error.code, error.facts) == ("inactive_destination", {"survivor": survivor.pk})

    def test_an_unseen_survivor_is_not_named(self) -> None:
        source, survivor, third = person("old"), person("new", last_name="Hidden"), person("third")
        merged(source, survivor)
        error = refusal(power_user(*BOTH, sees=(source, third)), source, third)
        assert (error.code, error.facts) == ("already_merged", {})
        assert "Hidden" not in error.detail

    def test_a_chain_is_undone_last_first_and_leaves_everybody_as_before(self) -> None:
        root, first, second, third = superadmin(), person("first"), person("second"), person("third")
        before = list(User.objects.order_by("pk").values())
        merges = [merged(first, second), merged(second, third)]
        for merge in reversed(merges):
            services.undo_merge(actor=root, merge_id=merge.pk, reason="wrong")
        assert list(User.objects.order_by("pk").values()) == before

    def test_a_source_that_was_undone_is_free_again(self) -> None:
        root, source, survivor, third = superadmin(), person("old"), person("new"), person("third")
        merge = merged(source, survivor)
        services.undo_merge(actor=root, merge_id=merge.pk, reason="wrong")
        merged(source, third)
        assert source.merged_into == third

    def test_a_source_deactivated_since_stays_inactive_when_its_merge_is_undone(self) -> None:
        root, source, survivor = superadmin(), person("old"), person("new")
        merge = merged(source, survivor)
        deactivate(actor=root, account_id=source.pk)
        services.undo_merge(actor=root, merge_id=merge.pk, reason="wrong")
        source.refresh_from_db()
        assert (source.merged_into, source.status) == (None, Status.INACTIVE)
