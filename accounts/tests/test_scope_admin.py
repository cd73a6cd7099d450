"""Tokens can't climb: roles, rights, assignments, staff and others' passwords need the scope `admin`."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.errors import FieldsInvalid, NotAllowed
from accounts.models import ApiToken, Role, User
from accounts.services import create_token, update_user
from tests.factories import PASSWORD, BranchFactory, PowerUserFactory, SuperadminFactory

USERS = "/api/v1/users/"
NEW = {"username": "new", "email": "new@example.com"}
pytestmark = pytest.mark.django_db


@pytest.fixture
def write(caller: Any, superadmin: User) -> Any:
    return caller(superadmin, ["write"])


@pytest.fixture
def admin(caller: Any, superadmin: User) -> Any:
    return caller(superadmin, ["admin"])


STAFF = [
    {"role": "superadmin", "password": PASSWORD},
    {"role": "power_user"},
    {"role": "power_user", "rights": ["users.view"]},
    {"rights": ["users.view"]},
    {"assigned_users": []},
    {"assigned_branches": []},
]


@pytest.mark.parametrize("more", STAFF)
def test_a_write_token_makes_no_staff(write: Any, problem: Any, more: dict[str, Any]) -> None:
    problem(write.post(USERS, {**NEW, **more}, format="json"), 403, "scope_missing")
    problem(write.post(USERS, [{"username": "x", "email": "x@x.org"}, {**NEW, **more}], format="json"), 403)
    assert not User.objects.filter(username__in=["new", "x"]).exists()


def test_a_write_token_makes_learners_with_a_first_password(write: Any) -> None:
    made = write.post(USERS, {**NEW, "password": PASSWORD, "role": "learner"}, format="json")
    assert made.status_code == 201
    assert User.objects.get(username="new").check_password(PASSWORD)


CHANGES: list[dict[str, Any]] = [
    {"role": "superadmin"},
    {"role": "power_user", "first_name": "x"},
    {"rights": []},
    {"assigned_users": []},
    {"assigned_branches": []},
    {"password": PASSWORD},
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_write_token_changes_nobodys_standing(
    write: Any, learner: User, problem: Any, change: dict[str, Any]
) -> None:
    before = User.objects.values().get(pk=learner.pk)
    problem(write.patch(f"{USERS}{learner.pk}/", change, format="json"), 403, "scope_missing")
    assert User.objects.values().get(pk=learner.pk) == before


def test_a_write_token_changes_learners_otherwise(write: Any, learner: User) -> None:
    changed = write.patch(f"{USERS}{learner.pk}/", {"first_name": "Ann", "email": "ann@example.com"}, format="json")
    assert changed.json()["first_name"] == "Ann"
    assert write.post(f"{USERS}{learner.pk}/deactivate/").status_code == 200
    assert write.post(f"{USERS}{learner.pk}/reactivate/").status_code == 200
    assert write.delete(f"{USERS}{learner.pk}/").status_code == 204


@pytest.mark.parametrize("factory", [PowerUserFactory, SuperadminFactory])
def test_a_write_token_touches_no_staff_account(write: Any, problem: Any, factory: Any) -> None:
    staff = factory.create()
    before = User.objects.values().get(pk=staff.pk)
    address = f"{USERS}{staff.pk}/"
    problem(write.patch(address, {"first_name": "x"}, format="json"), 403, "scope_missing")
    problem(write.patch(address, {"status": "inactive"}, format="json"), 403, "scope_missing")
    problem(write.post(f"{address}deactivate/"), 403, "scope_missing")
    problem(write.post(f"{address}reactivate/"), 403, "scope_missing")
    problem(write.delete(address), 403, "scope_missing")
    assert User.objects.values().get(pk=staff.pk) == before


def test_admin_alone_is_enough_for_what_needs_it(admin: Any, learner: User) -> None:
    branch = BranchFactory.create()
    body = {"role": "power_user", "rights": ["users.view"], "assigned_branches": [branch.pk], "password": PASSWORD}
    assert admin.patch(f"{USERS}{learner.pk}/", body, format="json").json()["rights"] == ["users.view"]
    assert admin.patch(f"{USERS}{learner.pk}/", {"first_name": "x"}, format="json").status_code == 200
    assert admin.post(USERS, {**NEW, "role": "superadmin"}, format="json").status_code == 201
    assert admin.delete(f"{USERS}{learner.pk}/").status_code == 204


def test_admin_alone_is_not_write(admin: Any, learner: User, problem: Any) -> None:
    address = f"{USERS}{learner.pk}/"
    problem(admin.patch(address, {"first_name": "x"}, format="json"), 403, "scope_missing")
    problem(admin.patch(address, {"role": "power_user", "first_name": "x"}, format="json"), 403, "scope_missing")
    problem(admin.patch(address, {}, format="json"), 403, "scope_missing")
    problem(admin.post(f"{address}deactivate/"), 403, "scope_missing")
    problem(admin.delete(address), 403, "scope_missing")
    problem(admin.post(USERS, NEW, format="json"), 403, "scope_missing")
    problem(admin.post("/api/v1/branches/", {"name": "x"}, format="json"), 403, "scope_missing")
    problem(admin.get(USERS), 403, "scope_missing")


def test_the_service_holds_an_actor_to_the_token_when_it_writes(superadmin: User, learner: User) -> None:
    superadmin.token_scopes = frozenset({"write"})
    with pytest.raises(NotAllowed) as refused:
        update_user(actor=superadmin, account_id=learner.pk, data={"role": Role.SUPERADMIN})
    assert refused.value.code == "scope_missing"


@pytest.mark.parametrize("scopes", [["read"], ["write"], ["merge", "undo"]])
def test_webhooks_need_the_scope(caller: Any, superadmin: User, problem: Any, scopes: list[str]) -> None:
    api = caller(superadmin, scopes)
    hook = {"url": "https://example.com/hook"}
    problem(api.post("/api/v1/webhooks/", hook, format="json"), 403, "scope_missing")
    problem(api.patch("/api/v1/webhooks/1/", hook, format="json"), 403, "scope_missing")
    problem(api.delete("/api/v1/webhooks/1/"), 403, "scope_missing")


class TestPasswordsOfOthers:
    def test_a_power_user_sets_none(self, caller: Any, power_user: User, learner: User, problem: Any) -> None:
        api = caller(power_user)
        before = learner.password
        problem(api.patch(f"{USERS}{learner.pk}/", {"password": PASSWORD}, format="json"), 403, "not_allowed")
        learner.refresh_from_db()
        assert learner.password == before

    def test_not_even_by_the_service(self, power_user: User, learner: User) -> None:
        before = learner.password
        with pytest.raises(NotAllowed, match="reset"):
            update_user(actor=power_user, account_id=learner.pk, data={"password": "another of those staples"})
        learner.refresh_from_db()
        assert learner.password == before


class TestWhoGetsTheScope:
    def test_a_superadmins_token_has_it_unless_told_otherwise(self, superadmin: User) -> None:
        assert create_token(owner=superadmin)[1].scopes == ["read", "write", "merge", "undo", "admin"]
        assert create_token(owner=superadmin, scopes=["read"])[1].scopes == ["read"]

    def test_others_get_all_but_it(self, power_user: User) -> None:
        assert "admin" not in create_token(owner=power_user)[1].scopes
        with pytest.raises(FieldsInvalid) as refused:
            create_token(owner=power_user, scopes=["read", "admin"])
        assert refused.value.errors[0]["code"] == "not_held"

    def test_a_token_grants_no_more_than_it_holds(self, superadmin: User) -> None:
        superadmin.token_scopes = frozenset({"read", "admin"})
        assert create_token(owner=superadmin)[1].scopes == ["read", "admin"]
        with pytest.raises(FieldsInvalid):
            create_token(owner=superadmin, scopes=["merge"])
        superadmin.token_scopes = frozenset({"read", "write"})
        with pytest.raises(NotAllowed):
            create_token(owner=superadmin)
        assert ApiToken.objects.count() == 1

    def test_the_page_offers_it_to_superadmins_alone(self, client: Any, superadmin: User, power_user: User) -> None:
        for account, offered in ((superadmin, True), (power_user, False)):
            client.force_login(account)
            page = client.get("/preferences/api-tokens/").content.decode()
            assert ('value="admin"' in page) is offered
            sent = {"name": "x", "scopes": ["admin"], "days": 1}
            assert client.post("/preferences/api-tokens/", sent).status_code == (201 if offered else 200)
        assert [token.owner for token in ApiToken.objects.all()] == [superadmin]


def test_a_demoted_owner_loses_the_token(superadmin: User) -> None:
    other = SuperadminFactory.create()
    create_token(owner=other)
    update_user(actor=superadmin, account_id=other.pk, data={"role": Role.LEARNER})
    assert not ApiToken.objects.exists()
