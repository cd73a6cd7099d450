"""Making accounts and changing them."""

from typing import Any

import pytest

from accounts.errors import AccountDeleted, AccountMerged, FieldsInvalid, LastSuperadmin, NotAllowed, UnknownAccount
from accounts.models import (
    AssignedBranch,
    AssignedUser,
    Branch,
    BranchMembership,
    ManagerAssignment,
    ProfileField,
    Right,
    Role,
    Status,
    User,
)
from accounts.services import create_user, deactivate, delete_account, update_user
from accounts.tests.people import merged, person, power_user, superadmin
from audit.models import AuditEntry

pytestmark = pytest.mark.django_db


def problems(error: pytest.ExceptionInfo[FieldsInvalid]) -> list[tuple[str, str]]:
    return [(one["field"], one["code"]) for one in error.value.errors]


def test_it_makes_a_learner_with_everything() -> None:
    branch, boss = Branch.objects.create(name="Sales"), person("boss")
    ProfileField.objects.create(key="cost-centre", label="Cost centre", type="number")
    data = {
        "username": "jane",
        "email": "jane@example.com",
        "first_name": " Jane ",
        "birth_date": "1990-02-01",
        "profile": {"cost-centre": 12},
        "branches": [branch.pk],
        "managers": [boss.pk],
    }
    account = create_user(actor=superadmin(), data=data)
    account.refresh_from_db()
    assert (account.first_name, account.role, account.has_usable_password()) == ("Jane", Role.LEARNER, False)
    assert list(account.branch_memberships.values_list("branch", flat=True)) == [branch.pk]
    assert list(account.manager_assignments.values_list("manager", flat=True)) == [boss.pk]
    assert account.profile_values.get().value == "12"
    entry = AuditEntry.objects.get(action="user.created")
    assert (entry.subject_id, entry.detail) == (account.pk, {"role": "learner"})


@pytest.mark.parametrize(
    ("data", "wrong"),
    [
        ({}, [("username", "required"), ("email", "required")]),
        ({"username": "a b"}, [("username", "invalid")]),
        ({"username": "x" * 151}, [("username", "max_length")]),
        ({"username": "deleted-7"}, [("username", "reserved")]),
        ({"username": "a\x00b"}, [("username", "invalid")]),
        ({"username": 5}, [("username", "invalid")]),
        ({"email": "nowhere"}, [("email", "invalid")]),
        ({"password": "12345678"}, [("password", "weak_password")]),
        ({"language": "English, please"}, [("language", "invalid")]),
        ({"timezone": "Mars/Base"}, [("timezone", "invalid")]),
        ({"birth_date": "2090-01-01"}, [("birth_date", "out_of_range")]),
        ({"birth_date": 5}, [("birth_date", "invalid")]),
        ({"role": "owner"}, [("role", "invalid_choice")]),
        ({"status": "deleted"}, [("status", "invalid_choice")]),
        ({"rights": ["users.view"]}, [("rights", "not_a_power_user")]),
        ({"rights": [["users.view"]]}, [("rights", "invalid_choice")]),
        ({"merged_into": 1}, [("merged_into", "unknown_field")]),
        ({"id": 1}, [("id", "unknown_field")]),
        ({"branches": [2**70]}, [("branches", "invalid")]),
        ({"branches": [4711]}, [("branches", "unknown")]),
        ({"branches": "4711"}, [("branches", "invalid")]),
        ({"managers": [True]}, [("managers", "invalid")]),
        ({"managers": [4711]}, [("managers", "unknown")]),
        ({"profile": []}, [("profile", "invalid")]),
        ({"profile": {"shoe": "44"}}, [("profile.shoe", "unknown_field")]),
        ({"profile": {"size": "XXL"}}, [("profile.size", "invalid")]),
        ({"assigned_users": [1]}, [("assigned_users", "not_a_power_user")]),
    ],
)
def test_it_names_every_field_that_is_wrong(data: dict[str, Any], wrong: list[tuple[str, str]]) -> None:
    ProfileField.objects.create(key="size", label="Size", type="choice", options=["S", "M"])
    whole = {"username": "jane", "email": "jane@example.com", **data} if data else data
    before = User.objects.count()
    with pytest.raises(FieldsInvalid) as error:
        create_user(actor=None, data=whole)
    assert problems(error) == wrong
    assert User.objects.count() == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", "JANE"),
        ("email", "Jane@Example.com"),
        ("username", "jane@example.com"),
        ("email", "jane@EXAMPLE.com"),
    ],
)
def test_it_keeps_sign_in_names_unique_whatever_their_case(field: str, value: str) -> None:
    person("jane")
    data = {"username": "john", "email": "john@example.com", field: value}
    with pytest.raises(FieldsInvalid) as error:
        create_user(actor=None, data=data)
    assert problems(error) == [(field, "unique")]


@pytest.mark.covers("S1.26")
def test_it_refuses_an_address_that_the_secondary_account_still_has() -> None:
    primary, secondary = person("primary"), person("secondary")
    with pytest.raises(FieldsInvalid) as error:
        update_user(actor=superadmin(), account_id=primary.pk, data={"email": secondary.email.upper()})
    assert problems(error) == [("email", "unique")]


@pytest.mark.covers("S1.27", "S1.28")
def test_it_gives_the_primary_what_the_removed_secondary_had() -> None:
    root, primary, secondary = superadmin(), person("primary"), person("secondary")
    delete_account(actor=root, account_id=secondary.pk)
    data = {"email": "secondary@example.com", "username": "secondary"}
    account = update_user(actor=root, account_id=primary.pk, data=data)
    account.refresh_from_db()
    assert (account.email, account.username) == ("secondary@example.com", "secondary")


def test_it_changes_what_is_named_and_leaves_the_rest() -> None:
    account = person("jane", phone="1", job_title="Pilot")
    update_user(actor=superadmin(), account_id=account.pk, data={"phone": "2"})
    account.refresh_from_db()
    assert (account.phone, account.job_title) == ("2", "Pilot")
    assert AuditEntry.objects.get(action="user.updated").detail == {"fields": ["phone"]}


def test_it_writes_nothing_about_a_change_that_changes_nothing() -> None:
    account = person("jane", phone="1")
    update_user(actor=superadmin(), account_id=account.pk, data={"phone": "1"})
    assert not AuditEntry.objects.exists()


def test_it_replaces_whole_lists_and_keeps_rows_that_stay() -> None:
    account, boss, chief = person("jane"), person("boss"), person("chief")
    north, south = (Branch.objects.create(name=name) for name in ("North", "South"))
    kept = BranchMembership.objects.create(user=account, branch=north)
    ManagerAssignment.objects.create(user=account, manager=boss)
    data = {"branches": [north.pk, south.pk], "managers": [chief.pk]}
    update_user(actor=superadmin(), account_id=account.pk, data=data)
    assert {kept.pk} < set(account.branch_memberships.values_list("pk", flat=True))
    assert [one.manager for one in account.manager_assignments.all()] == [chief]


def test_a_blank_custom_value_takes_the_field_away() -> None:
    ProfileField.objects.create(key="hired", label="Hired", type="date")
    account, root = person("jane"), superadmin()
    update_user(actor=root, account_id=account.pk, data={"profile": {"hired": "2020-01-31"}})
    assert account.profile_values.get().value == "2020-01-31"
    update_user(actor=root, account_id=account.pk, data={"profile": {"hired": ""}})
    assert not account.profile_values.exists()


def test_a_new_address_is_unverified_again() -> None:
    account = person("jane", email_state="verified")
    update_user(actor=superadmin(), account_id=account.pk, data={"email": "new@example.com"})
    account.refresh_from_db()
    assert account.email_state == "unverified"


def test_nobody_manages_themselves() -> None:
    account = person("jane")
    with pytest.raises(FieldsInvalid) as error:
        update_user(actor=superadmin(), account_id=account.pk, data={"managers": [account.pk]})
    assert problems(error) == [("managers", "own_account")]


class TestRights:
    def test_a_power_user_changes_assigned_learners_alone(self) -> None:
        mine, other = person("mine"), person("other")
        actor = power_user(Right.VIEW, Right.EDIT, sees=(mine,))
        assert update_user(actor=actor, account_id=mine.pk, data={"phone": "2"}).phone == "2"
        with pytest.raises(UnknownAccount):
            update_user(actor=actor, account_id=other.pk, data={"phone": "2"})

    def test_it_takes_the_right_to_edit(self) -> None:
        mine = person("mine")
        with pytest.raises(NotAllowed):
            update_user(actor=power_user(Right.VIEW, sees=(mine,)), account_id=mine.pk, data={"phone": "2"})

    def test_learners_change_nobody_not_even_themselves(self) -> None:
        account = person("jane")
        with pytest.raises(NotAllowed):
            update_user(actor=account, account_id=account.pk, data={"phone": "2"})

    def test_power_users_do_not_edit_themselves(self) -> None:
        actor = power_user(Right.VIEW, Right.EDIT)
        with pytest.raises(NotAllowed):
            update_user(actor=actor, account_id=actor.pk, data={"phone": "2"})

    @pytest.mark.parametrize("field", ["role", "rights", "assigned_users", "assigned_branches"])
    def test_role_rights_and_assignments_are_a_superadmins(self, field: str) -> None:
        mine = person("mine")
        actor = power_user(Right.VIEW, Right.EDIT, sees=(mine,))
        with pytest.raises(NotAllowed):
            update_user(actor=actor, account_id=mine.pk, data={field: []})

    def test_a_power_user_makes_learners_in_own_branches_alone(self) -> None:
        actor = power_user(Right.VIEW, Right.EDIT)
        top, foreign = Branch.objects.create(name="Mine"), Branch.objects.create(name="Foreign")
        below = Branch.objects.create(name="Below", parent=top)
        AssignedBranch.objects.create(power_user=actor, branch=top)
        data = {"username": "new", "email": "new@example.com"}
        for branches, wrong in (([], ("branches", "required")), ([foreign.pk], ("branches", "unknown"))):
            with pytest.raises(FieldsInvalid) as error:
                create_user(actor=actor, data={**data, "branches": branches})
            assert problems(error) == [wrong]
        account = create_user(actor=actor, data={**data, "branches": [below.pk]})
        assert User.objects.visible_to(actor).filter(pk=account.pk).exists()

    def test_a_power_user_neither_adds_nor_removes_foreign_branches(self) -> None:
        mine, foreign = person("mine"), Branch.objects.create(name="Foreign")
        BranchMembership.objects.create(user=mine, branch=foreign)
        actor = power_user(Right.VIEW, Right.EDIT, sees=(mine,))
        with pytest.raises(FieldsInvalid):
            update_user(actor=actor, account_id=mine.pk, data={"branches": []})

    def test_an_unseen_manager_is_an_unknown_one(self) -> None:
        mine, hidden = person("mine"), person("hidden")
        actor = power_user(Right.VIEW, Right.EDIT, sees=(mine,))
        answers = []
        for pk in (hidden.pk, 10**9):
            with pytest.raises(FieldsInvalid) as error:
                update_user(actor=actor, account_id=mine.pk, data={"managers": [pk]})
            answers.append(error.value.errors)
        assert answers[0] == answers[1]

    def test_nobody_takes_away_a_manager_whom_they_do_not_know_of(self) -> None:
        mine, hidden, known = person("mine"), person("hidden"), person("known")
        for manager in (hidden, known):
            ManagerAssignment.objects.create(user=mine, manager=manager)
        actor = power_user(Right.VIEW, Right.EDIT, sees=(mine, known))
        update_user(actor=actor, account_id=mine.pk, data={"managers": []})
        assert [one.manager for one in mine.manager_assignments.all()] == [hidden]

    def test_a_superadmin_makes_a_power_user(self) -> None:
        mine, root = person("mine"), superadmin()
        data = {"role": "power_user", "rights": ["users.edit", "users.view", "users.view"], "assigned_users": [mine.pk]}
        account = update_user(actor=root, account_id=person("paula").pk, data=data)
        assert account.rights == ["users.view", "users.edit"]
        assert User.objects.visible_to(account).filter(pk=mine.pk).exists()

    def test_a_power_user_who_is_one_no_more_keeps_nothing_of_it(self) -> None:
        mine = person("mine")
        account = power_user(Right.VIEW, sees=(mine,))
        update_user(actor=superadmin(), account_id=account.pk, data={"role": "learner"})
        account.refresh_from_db()
        assert (account.rights, AssignedUser.objects.count()) == ([], 0)

    def test_the_last_superadmin_stays_one(self) -> None:
        root = superadmin()
        with pytest.raises(LastSuperadmin):
            update_user(actor=root, account_id=root.pk, data={"role": "learner"})
        second = superadmin("second")
        update_user(actor=second, account_id=root.pk, data={"role": "learner"})
        with pytest.raises(LastSuperadmin):
            update_user(actor=second, account_id=second.pk, data={"role": "power_user"})


class TestMergedAccounts:
    def test_the_survivor_takes_over_what_its_source_released(self) -> None:
        root, source, survivor = superadmin(), person("old"), person("new")
        merged(source, survivor, policy="keep_primary")
        with pytest.raises(FieldsInvalid) as error:
            update_user(actor=root, account_id=survivor.pk, data={"username": "OLD"})
        assert f"account {source.pk}, which was merged into this one" in error.value.detail
        update_user(actor=root, account_id=source.pk, data={"username": "old-2026"})
        update_user(actor=root, account_id=survivor.pk, data={"username": "old"})
        survivor.refresh_from_db()
        assert survivor.username == "old"
        last = AuditEntry.objects.filter(action="user.updated").first()
        assert last is not None
        assert last.detail == {"fields": ["username"], "taken_over": ["username"]}

    def test_the_survivor_takes_over_from_a_deleted_source(self) -> None:
        root, source, survivor = superadmin(), person("old"), person("new")
        merged(source, survivor)
        delete_account(actor=root, account_id=source.pk)
        account = update_user(actor=root, account_id=survivor.pk, data={"username": "old", "email": "old@example.com"})
        assert (account.username, account.email) == ("old", "old@example.com")

    @pytest.mark.parametrize("data", [{"username": "old"}, {"email": "OLD@example.com"}])
    def test_nobody_else_gets_what_still_finds_a_merged_person(self, data: dict[str, str]) -> None:
        root, source, survivor = superadmin(), person("old"), person("new")
        merged(source, survivor)
        delete_account(actor=root, account_id=source.pk)
        with pytest.raises(FieldsInvalid) as error:
            create_user(actor=root, data={"username": "third", "email": "third@example.com", **data})
        assert problems(error) == [(next(iter(data)), "unique")]

    def test_only_identifiers_of_a_merged_inactive_account_change(self) -> None:
        root, source, survivor = superadmin(), person("old"), person("new")
        merged(source, survivor, policy="keep_primary")
        with pytest.raises(AccountMerged) as error:
            update_user(actor=root, account_id=source.pk, data={"phone": "1"})
        assert error.value.facts == {"survivor": survivor.pk}
        assert update_user(actor=root, account_id=source.pk, data={"email": "free@example.com"}).pk == source.pk


class TestStatus:
    def test_it_deactivates_and_reactivates(self) -> None:
        root, account = superadmin(), person("jane")
        assert update_user(actor=root, account_id=account.pk, data={"status": "inactive"}).status == Status.INACTIVE
        assert update_user(actor=root, account_id=account.pk, data={"status": "active"}).status == Status.ACTIVE
        actions = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
        assert actions == ["user.deactivated", "user.reactivated"]

    def test_a_deleted_account_is_not_changed(self) -> None:
        root, account = superadmin(), person("jane")
        delete_account(actor=root, account_id=account.pk)
        with pytest.raises(AccountDeleted):
            update_user(actor=root, account_id=account.pk, data={"status": "active"})

    def test_a_new_account_may_be_inactive(self) -> None:
        data = {"username": "later", "email": "later@example.com", "status": "inactive"}
        assert create_user(actor=superadmin(), data=data).status == Status.INACTIVE

    def test_an_actor_who_was_deactivated_meanwhile_does_nothing(self) -> None:
        actor, account = superadmin("former"), person("jane")
        deactivate(actor=superadmin(), account_id=actor.pk)
        with pytest.raises(UnknownAccount):
            update_user(actor=actor, account_id=account.pk, data={"phone": "1"})
