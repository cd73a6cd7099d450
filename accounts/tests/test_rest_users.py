"""users/: what integrators may read and do about accounts."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AssignedUser, User
from audit.models import AuditEntry
from tests.factories import (
    PASSWORD,
    AliasFactory,
    BadgeAwardFactory,
    BranchFactory,
    BranchMembershipFactory,
    CertificateFactory,
    CoinEntryFactory,
    EnrollmentFactory,
    PointEntryFactory,
    PowerUserFactory,
    ProfileFieldFactory,
    UserFactory,
)

USERS = "/api/v1/users/"
FIELDS = {
    "id", "username", "email", "first_name", "last_name", "role", "status", "employee_number", "phone", "job_title",
    "language", "timezone", "profile", "branches", "managers", "rights", "assigned_users", "assigned_branches",
    "last_login", "merged_into", "link_group",
}  # fmt: skip
KINDS = {
    "enrollments", "learning_records", "certificates", "certifications", "competencies", "external_trainings",
    "learning_plans", "badges", "points", "coins", "reward_requests", "subscriptions", "transactions",
}  # fmt: skip


def ids(answer: Any) -> list[int]:
    return [row["id"] for row in answer.json()["results"]]


def test_it_makes_an_account_with_everything(api: Any, learner: User) -> None:
    branch = BranchFactory.create()
    ProfileFieldFactory.create(key="shoe", type="number")
    ProfileFieldFactory.create(key="vip", type="yes_no")
    body = {
        "username": "max",
        "email": "max@example.com",
        "password": PASSWORD,
        "first_name": "Max",
        "role": "power_user",
        "rights": ["users.view"],
        "branches": [branch.pk],
        "managers": [learner.pk],
        "assigned_users": [learner.pk],
        "assigned_branches": [branch.pk],
        "profile": {"shoe": 42, "vip": True},
        "timezone": "Europe/Berlin",
    }
    answer = api.post(USERS, body, format="json")
    assert answer.status_code == 201
    shown = answer.json()
    assert shown.keys() >= FIELDS
    assert "password" not in shown
    assert {name: shown[name] for name in body if name != "password"} == {
        k: v for k, v in body.items() if k != "password"
    }
    assert User.objects.get(username="max").check_password(PASSWORD)
    assert api.get(f"{USERS}{shown['id']}/").json() == shown


def test_it_names_what_is_missing_and_what_is_taken(api: Any, problem: Any, learner: User) -> None:
    body = problem(api.post(USERS, {"first_name": "x"}, format="json"), 400)
    assert {error["field"] for error in body["errors"]} == {"username", "email"}
    body = problem(api.post(USERS, {"username": "JANE", "email": learner.email.upper()}, format="json"), 409)
    assert {(error["field"], error["code"]) for error in body["errors"]} == {
        ("username", "unique"),
        ("email", "unique"),
    }


def test_it_names_the_account_of_a_list_that_is_wrong(api: Any, problem: Any) -> None:
    good = {"username": "a", "email": "a@example.com"}
    body = problem(api.post(USERS, [good, {"username": "b", "email": "A@example.com"}], format="json"), 409)
    assert body["errors"][0]["field"] == "1.email"
    assert not User.objects.filter(username="a").exists()


def test_it_changes_named_fields_and_leaves_the_others(api: Any, learner: User) -> None:
    answer = api.patch(f"{USERS}{learner.pk}/", {"phone": "1", "profile": {}}, format="json")
    assert answer.status_code == 200
    assert (answer.json()["phone"], answer.json()["first_name"]) == ("1", "Jane")


@pytest.mark.parametrize("field", ["id", "merged_into", "link_group", "last_login"])
def test_it_lets_nobody_set_what_only_acts_change(api: Any, problem: Any, learner: User, field: str) -> None:
    body = problem(api.patch(f"{USERS}{learner.pk}/", {field: 1}, format="json"), 400)
    assert body["errors"] == [{"field": field, "code": "read_only", "detail": body["errors"][0]["detail"]}]


@pytest.mark.parametrize(
    ("field", "value"),
    [("role", "superadmin"), ("rights", ["users.delete"]), ("assigned_users", []), ("assigned_branches", [])],
)
def test_it_keeps_privileges_a_superadmins_to_give(
    caller: Any, power_user: User, learner: User, problem: Any, field: str, value: Any
) -> None:
    problem(caller(power_user).patch(f"{USERS}{learner.pk}/", {field: value}, format="json"), 403, "not_allowed")
    learner.refresh_from_db()
    assert learner.role == "learner"


@pytest.mark.parametrize("rights", [[], ["users.view"], ["users.edit"], ["users.delete"]])
def test_it_takes_both_rights_to_change_a_learner(
    caller: Any, power_user: User, learner: User, rights: list[str]
) -> None:
    power_user.rights = rights
    power_user.save()
    answer = caller(power_user).patch(f"{USERS}{learner.pk}/", {"phone": "1"}, format="json")
    assert answer.status_code == (403 if "users.view" in rights else 404)


def test_it_shows_power_users_their_learners_alone(
    caller: Any, power_user: User, learner: User, stranger: User
) -> None:
    branch = BranchFactory.create()
    by_branch = BranchMembershipFactory.create(branch=branch).user
    power_user.assigned_branches.create(branch=branch)
    client = caller(power_user)
    assert set(ids(client.get(USERS))) == {power_user.pk, learner.pk, by_branch.pk}
    for query in ("search=stranger", "username=stranger", "identifier=stranger", f"email={stranger.email}"):
        assert ids(client.get(f"{USERS}?{query}")) == []
    for path in ("", "transcript/"):
        assert client.get(f"{USERS}{stranger.pk}/{path}").status_code == 404
    for path in ("deactivate/", "reactivate/"):
        assert client.post(f"{USERS}{stranger.pk}/{path}").status_code == 404


def test_it_names_no_account_out_of_sight(
    caller: Any, api: Any, power_user: User, learner: User, stranger: User
) -> None:
    api.patch(f"{USERS}{learner.pk}/", {"managers": [stranger.pk]}, format="json")
    User.objects.filter(pk=learner.pk).update(merged_into=stranger)
    client = caller(power_user)
    shown = client.get(f"{USERS}{learner.pk}/").json()
    assert (shown["managers"], shown["merged_into"]) == ([], None)
    assert client.patch(f"{USERS}{learner.pk}/", {"managers": []}, format="json").status_code == 200
    assert api.get(f"{USERS}{learner.pk}/").json()["managers"] == [stranger.pk]


def test_it_shows_learners_themselves(caller: Any, learner: User, stranger: User, problem: Any) -> None:
    client = caller(learner)
    assert ids(client.get(USERS)) == [learner.pk]
    problem(client.get(f"{USERS}{stranger.pk}/"), 404)
    problem(client.patch(f"{USERS}{learner.pk}/", {"phone": "1"}, format="json"), 403)
    problem(client.post(USERS, {"username": "x", "email": "x@example.com"}, format="json"), 403)


def test_it_filters(api: Any, superadmin: User, learner: User) -> None:
    branch = BranchFactory.create()
    ann = UserFactory.create(username="ann", status="inactive", employee_number="E7")
    BranchMembershipFactory.create(user=ann, branch=branch)
    gone = UserFactory.create(username="gone", status="deleted")
    assert set(ids(api.get(USERS))) == {superadmin.pk, learner.pk, ann.pk}
    for query, expected in {
        "status=deleted": [gone.pk],
        "status=inactive": [ann.pk],
        "role=superadmin": [superadmin.pk],
        f"branch={branch.pk}": [ann.pk],
        "username=ANN": [ann.pk],
        f"email={ann.email.upper()}": [ann.pk],
        "search=ann": [ann.pk],
        "identifier=E7": [ann.pk],
        "identifier=nobody": [],
    }.items():
        assert ids(api.get(f"{USERS}?{query}")) == expected, query


@pytest.mark.covers("P.9")
def test_it_finds_the_survivor_by_any_old_identifier(api: Any, learner: User) -> None:
    middle = UserFactory.create(status="inactive", merged_into=learner)
    AliasFactory.create(user=middle, kind="username", value="Old.Name")
    AliasFactory.create(user=learner, kind="employee_number", value="E99")
    for old in ("old.name", "E99"):
        assert ids(api.get(USERS, {"identifier": old})) == [learner.pk]


def test_it_deactivates_and_reactivates(api: Any, learner: User) -> None:
    assert api.post(f"{USERS}{learner.pk}/deactivate/").json()["status"] == "inactive"
    assert api.post(f"{USERS}{learner.pk}/reactivate/").json()["status"] == "active"
    actions = AuditEntry.objects.filter(subject=learner).order_by("id").values_list("action", flat=True)
    assert list(actions) == ["user.deactivated", "user.reactivated"]
    assert AuditEntry.objects.filter(subject=learner)[0].origin.startswith("REST 127.0.0.1 token")


def test_it_deletes_with_the_right_alone(caller: Any, power_user: User, learner: User, problem: Any) -> None:
    client = caller(power_user)
    problem(client.delete(f"{USERS}{learner.pk}/"), 403)
    power_user.rights = [*power_user.rights, "users.delete"]
    power_user.save()
    assert client.delete(f"{USERS}{learner.pk}/").status_code == 204
    learner.refresh_from_db()
    assert learner.status == "deleted"


def test_it_refuses_to_touch_the_deleted(api: Any, problem: Any) -> None:
    gone = UserFactory.create(status="deleted")
    problem(api.delete(f"{USERS}{gone.pk}/"), 409, "account_deleted")
    problem(api.patch(f"{USERS}{gone.pk}/", {"phone": "1"}, format="json"), 409, "account_deleted")
    problem(api.post(f"{USERS}{gone.pk}/reactivate/"), 409, "account_deleted")
    problem(api.patch(f"{USERS}{gone.pk}/", {"status": "deleted"}, format="json"), 400)


def test_it_asks_browsers_for_a_recent_sign_in_before_deleting(superadmin: User, learner: User, problem: Any) -> None:
    browser = Client()
    browser.force_login(superadmin, backend="accounts.backends.PasswordBackend")
    session = browser.session
    session["password_proven_at"] = int(timezone.now().timestamp()) - 3600
    session.save()
    problem(browser.delete(f"{USERS}{learner.pk}/"), 403, "sign_in_again")
    session["password_proven_at"] = int(timezone.now().timestamp())
    session.save()
    assert browser.delete(f"{USERS}{learner.pk}/").status_code == 204


def test_it_gives_the_transcript_by_kind(api: Any, learner: User) -> None:
    current = EnrollmentFactory.create(user=learner)
    past = EnrollmentFactory.create(user=learner, course=current.course, is_historical=True)
    certificate = CertificateFactory.create(user=learner, course=current.course, is_superseded=True)
    for amount in (5, -2):
        PointEntryFactory.create(user=learner, amount=amount)
    CoinEntryFactory.create(user=learner, amount=7)
    shown = api.get(f"{USERS}{learner.pk}/transcript/").json()
    assert shown.keys() == KINDS
    assert [row["id"] for row in shown["enrollments"]] == [current.pk]
    assert shown["certificates"] == []
    assert (shown["points"]["balance"], len(shown["points"]["entries"]), shown["coins"]["balance"]) == (3, 2, 7)
    history = api.get(f"{USERS}{learner.pk}/transcript/", {"history": "true"}).json()
    assert [row["id"] for row in history["enrollments"]] == [current.pk, past.pk]
    assert [row["id"] for row in history["certificates"]] == [certificate.pk]
    assert history["enrollments"][0] == api.get(f"/api/v1/enrollments/{current.pk}/").json()
    assert history["certificates"][0] == api.get(f"/api/v1/certificates/{certificate.pk}/").json()


def test_its_transcript_takes_as_many_queries_for_much_as_for_little(api: Any, learner: User) -> None:
    counts = []
    for _ in range(2):
        for _ in range(5):
            EnrollmentFactory.create(user=learner)
            CertificateFactory.create(user=learner)
            BadgeAwardFactory.create(user=learner)
        with CaptureQueriesContext(connection) as queries:
            assert api.get(f"{USERS}{learner.pk}/transcript/?history=true").status_code == 200
        counts.append(len(queries))
    assert counts[0] >= counts[1]


def test_its_list_takes_as_many_queries_for_many_as_for_few(api: Any) -> None:
    counts = []
    for _ in range(2):
        for _ in range(5):
            user = PowerUserFactory.create()
            BranchMembershipFactory.create(user=user)
            AssignedUser.objects.create(power_user=user, user=UserFactory.create())
        with CaptureQueriesContext(connection) as queries:
            api.get(USERS)
        counts.append(len(queries))
    assert counts[0] >= counts[1]


def test_branches_are_a_tree_without_circles(api: Any, problem: Any) -> None:
    top = api.post("/api/v1/branches/", {"name": "top"}, format="json").json()
    below = api.post("/api/v1/branches/", {"name": "below", "parent": top["id"]}, format="json").json()
    assert api.get("/api/v1/branches/", {"parent": top["id"]}).json()["results"] == [below]
    for parent in (top["id"], below["id"]):
        problem(api.patch(f"/api/v1/branches/{top['id']}/", {"parent": parent}, format="json"), 409, "circle")


def test_profile_fields_name_their_options(api: Any, problem: Any) -> None:
    problem(api.post("/api/v1/profile-fields/", {"key": "a", "label": "A", "type": "choice"}, format="json"), 400)
    made = api.post(
        "/api/v1/profile-fields/", {"key": "a", "label": "A", "type": "choice", "options": ["x"]}, format="json"
    ).json()
    emptied = api.patch(f"/api/v1/profile-fields/{made['id']}/", {"options": []}, format="json")
    problem(emptied, 409, "options_required")
    problem(api.post("/api/v1/profile-fields/", {"key": "a", "label": "B"}, format="json"), 409, "already_exists")


def test_the_audit_log_tells_who_what_when_on_whom_and_from_where(api: Any, superadmin: User, learner: User) -> None:
    api.post("/api/v1/point-entries/", {"user": learner.pk, "amount": 1}, format="json")
    entry = api.get("/api/v1/audit-entries/", {"subject": learner.pk}).json()["results"][0]
    assert (entry["actor"], entry["subject"], entry["action"]) == (superadmin.pk, learner.pk, "pointentry.created")
    assert entry["at"]
    assert entry["origin"]


def test_a_body_that_is_valid_but_fits_nothing_stored_is_not_called_invalid(api: Any, problem: Any) -> None:
    row = {"username": "new", "email": "new@example.com", "rights": ["users.view"], "managers": [999_999]}
    answer = problem(api.post("/api/v1/users/", [row], format="json"), 404)
    assert {error["code"] for error in answer["errors"]} == {"not_a_power_user", "unknown"}


@pytest.mark.parametrize("values", [{"type": "choice"}, {"type": "choice", "options": []}])
def test_a_field_becomes_no_choice_without_options(api: Any, problem: Any, values: dict[str, Any]) -> None:
    made = api.post("/api/v1/profile-fields/", {"key": "a", "label": "A", "type": "text"}, format="json").json()
    problem(api.patch(f"/api/v1/profile-fields/{made['id']}/", values, format="json"), 409, "options_required")
