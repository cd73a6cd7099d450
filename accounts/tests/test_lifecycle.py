"""Deactivating, reactivating and deleting accounts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from django.test import Client

from accounts.errors import AccountDeleted, LastSuperadmin, NotAllowed, OwnAccount, UnknownAccount
from accounts.models import (
    Alias,
    ApiToken,
    BranchMembership,
    ManagerAssignment,
    ProfileField,
    ProfileValue,
    Right,
    Role,
    Session,
    Status,
    User,
)
from accounts.services import (
    check_credentials,
    create_token,
    deactivate,
    delete_account,
    find_by_identifier,
    find_token,
    reactivate,
)
from accounts.tests.people import PASSWORD, merged, person, power_user, superadmin
from audit.models import AuditEntry
from merging import review
from merging.handlers import SECTIONS
from tests.factories import BranchFactory, EnrollmentFactory

pytestmark = pytest.mark.django_db

Act = Callable[..., User]
ENDING = [deactivate, delete_account]


def signs_in(username: str) -> bool:
    return check_credentials(caller="test", username=username, password=PASSWORD) is not None


@pytest.mark.parametrize("act", ENDING)
def test_it_ends_sign_in_sessions_and_tokens_at_once(act: Act, client: Client) -> None:
    account, root = person("jane", password=PASSWORD), superadmin()
    client.force_login(account)
    key, _ = create_token(owner=account)
    epoch = account.session_epoch
    act(actor=root, account_id=account.pk)
    account.refresh_from_db()
    assert account.session_epoch == epoch + 1
    assert not Session.objects.exists()
    assert find_token(key) is None
    assert not ApiToken.objects.exists()
    assert not signs_in("jane")


def test_reactivating_lets_the_person_in_again_but_no_old_session(client: Client) -> None:
    account, root = person("jane", password=PASSWORD), superadmin()
    client.force_login(account)
    kept = Session.objects.get()
    deactivate(actor=root, account_id=account.pk)
    kept.save(force_insert=True)  # as a request does that was under way meanwhile
    reactivate(actor=root, account_id=account.pk)
    assert signs_in("jane")
    assert client.get("/preferences/").status_code in (302, 404)
    assert "_auth_user_id" not in client.session


def test_deactivating_twice_is_one_act() -> None:
    account, root = person("jane"), superadmin()
    deactivate(actor=root, account_id=account.pk)
    deactivate(actor=root, account_id=account.pk)
    assert AuditEntry.objects.filter(action="user.deactivated").count() == 1


def test_deleting_erases_the_person_and_keeps_what_was_done() -> None:
    root = superadmin()
    account = person(
        "jane",
        first_name="Jane",
        last_name="Doe",
        phone="1",
        job_title="Pilot",
        employee_number="E1",
        external_id="X1",
        birth_date=date(1990, 1, 1),
        password=PASSWORD,
    )
    field = ProfileField.objects.create(key="size", label="Size")
    ProfileValue.objects.create(user=account, field=field, value="M")
    Alias.objects.create(user=account, kind="username", value="janet")
    BranchMembership.objects.create(user=account, branch=BranchFactory.create())
    ManagerAssignment.objects.create(user=account, manager=person("boss"))
    enrollment = EnrollmentFactory.create(user=account)
    delete_account(actor=root, account_id=account.pk)
    account.refresh_from_db()
    assert account.username == f"deleted-{account.pk}"
    held = [account.email, account.first_name, account.last_name, account.phone, account.job_title]
    assert {*held, account.employee_number, account.external_id, account.language, account.timezone} == {""}
    assert (account.birth_date, account.status, account.has_usable_password()) == (None, Status.DELETED, False)
    for model in (ProfileValue, Alias, BranchMembership, ManagerAssignment):
        assert not model.objects.exists()
    enrollment.refresh_from_db()
    assert enrollment.user_id == account.pk
    entry = AuditEntry.objects.get(action="user.deleted")
    assert (entry.actor_id, entry.subject_id, entry.detail) == (root.pk, account.pk, {"merged_into": None})


def test_a_deleted_account_frees_its_identifiers() -> None:
    root, account = superadmin(), person("jane")
    delete_account(actor=root, account_id=account.pk)
    again = person("jane")
    assert find_by_identifier(root, "jane@example.com") == again


@pytest.mark.covers("S1.20", "S1.21")
def test_a_deleted_account_is_gone_from_lists_and_sign_in() -> None:
    root, account = superadmin(), person("jane", password=PASSWORD)
    delete_account(actor=root, account_id=account.pk)
    assert not User.objects.present().visible_to(root).filter(pk=account.pk).exists()
    assert not signs_in("jane")
    assert not signs_in(f"deleted-{account.pk}")


@pytest.mark.parametrize("act", [deactivate, reactivate, delete_account])
def test_a_deleted_account_stays_deleted(act: Act) -> None:
    root, account = superadmin(), person("jane")
    delete_account(actor=root, account_id=account.pk)
    with pytest.raises(AccountDeleted):
        act(actor=root, account_id=account.pk)


@pytest.mark.covers("S3.3")
def test_the_survivor_keeps_everything_when_the_source_is_deleted() -> None:
    root, source, survivor = superadmin(), person("old", employee_number="E1"), person("new")
    enrollment = EnrollmentFactory.create(user=source)
    merged(source, survivor)
    delete_account(actor=root, account_id=source.pk)
    enrollment.refresh_from_db()
    assert enrollment.user_id == survivor.pk
    assert {find_by_identifier(root, value) for value in ("old", "old@example.com", "E1")} == {survivor}


@pytest.mark.covers("S3.4")
def test_after_merge_and_deletion_there_is_one_user_less() -> None:
    root, source, survivor = superadmin(), person("old"), person("new")
    before = User.objects.present().count()
    merged(source, survivor)
    delete_account(actor=root, account_id=source.pk)
    assert User.objects.present().count() == before - 1


@pytest.mark.parametrize("place", ["source", "destination"])
def test_deleting_leaves_nothing_of_the_person_in_journals(place: str) -> None:
    root = superadmin()
    secret = {"first_name": "Geheim", "phone": "0815", "employee_number": "E-4711"}
    source, survivor = person("geheim-alt", **secret), person("geheim-neu", **secret | {"phone": "4711"})
    ProfileValue.objects.create(user=source, field=ProfileField.objects.create(key="a", label="A"), value="geheim")
    BranchMembership.objects.create(user=source, branch=BranchFactory.create())
    merge = merged(source, survivor, policy="keep_primary")
    shape = list(merge.journal.values_list("section", "model", "kind", "outcome", "reason", "ids"))
    delete_account(actor=root, account_id=source.pk if place == "source" else survivor.pk)
    kept = str(list(merge.journal.values())).lower()
    assert not [word for word in ("geheim", "0815", "4711") if word in kept]
    assert list(merge.journal.values_list("section", "model", "kind", "outcome", "reason", "ids")) == shape
    assert [section.total for section in review.history(merge, 10)] == [
        sum(merge.counts[section].values()) for section in SECTIONS
    ]


class TestRights:
    @pytest.mark.parametrize(
        ("act", "right"), [(deactivate, Right.EDIT), (reactivate, Right.EDIT), (delete_account, Right.DELETE)]
    )
    def test_each_act_has_its_right(self, act: Act, right: Right) -> None:
        account = person("jane")
        others = [one for one in Right if one != right]
        with pytest.raises(NotAllowed):
            act(actor=power_user(*others, sees=(account,), username="without"), account_id=account.pk)
        allowed = power_user(Right.VIEW, right, sees=(account,), username="with")
        assert act(actor=allowed, account_id=account.pk).pk == account.pk

    @pytest.mark.parametrize("act", [deactivate, reactivate, delete_account])
    def test_an_unassigned_account_is_an_unknown_one(self, act: Act) -> None:
        with pytest.raises(UnknownAccount):
            act(actor=power_user(*Right), account_id=person("jane").pk)
        with pytest.raises(UnknownAccount):
            act(actor=superadmin(), account_id=2**70)

    @pytest.mark.parametrize("act", ENDING)
    def test_nobody_ends_themselves(self, act: Act) -> None:
        root = superadmin()
        superadmin("second")
        with pytest.raises(OwnAccount):
            act(actor=root, account_id=root.pk)

    @pytest.mark.parametrize("act", ENDING)
    def test_superadmins_end_each_other_but_one_is_left(self, act: Act) -> None:
        root, second = superadmin(), superadmin("second")
        act(actor=root, account_id=second.pk)
        User.objects.filter(pk=second.pk).update(role=Role.SUPERADMIN)
        assert User.objects.filter(role=Role.SUPERADMIN, status=Status.ACTIVE).count() == 1

    @pytest.mark.covers("S3.16", "S3.105")
    def test_after_a_merge_a_power_user_deletes_the_source_with_the_right_alone(self) -> None:
        source, survivor = person("old"), person("new")
        actor = power_user(Right.VIEW, Right.EDIT, sees=(source, survivor))
        merged(source, survivor, actor=actor)
        with pytest.raises(NotAllowed):
            delete_account(actor=actor, account_id=source.pk)
        assert deactivate(actor=actor, account_id=source.pk).status == Status.INACTIVE

    @pytest.mark.covers("S3.17", "S3.105")
    def test_after_a_merge_a_power_user_with_the_right_deletes_the_source(self) -> None:
        source, survivor = person("old"), person("new")
        actor = power_user(*Right, sees=(source, survivor))
        merged(source, survivor, actor=actor)
        assert delete_account(actor=actor, account_id=source.pk).status == Status.DELETED

    @pytest.mark.covers("S3.103", "S3.104")
    def test_after_a_merge_a_superadmin_deactivates_and_deletes_the_source(self) -> None:
        root, source, survivor = superadmin(), person("old"), person("new")
        merged(source, survivor)
        assert deactivate(actor=root, account_id=source.pk).status == Status.INACTIVE
        assert delete_account(actor=root, account_id=source.pk).status == Status.DELETED


def test_a_merged_account_may_be_reactivated_and_still_leads_to_its_survivor() -> None:
    root, source, survivor = superadmin(), person("old", password=PASSWORD), person("new")
    merged(source, survivor, policy="keep_primary")
    assert not signs_in("old")
    reactivate(actor=root, account_id=source.pk)
    assert signs_in("old")
    assert find_by_identifier(root, "old") == survivor
    assert AuditEntry.objects.filter(action="user.reactivated").get().detail == {"merged_into": survivor.pk}


def test_the_last_superadmin_is_not_ended_by_one_who_was_deactivated() -> None:
    root, former = superadmin(), superadmin("former")
    deactivate(actor=root, account_id=former.pk)
    with pytest.raises((UnknownAccount, LastSuperadmin)):
        deactivate(actor=former, account_id=root.pk)
