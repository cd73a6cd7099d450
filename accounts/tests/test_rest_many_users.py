"""users/ with a list: as one by one, in a constant number of queries."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from audit.models import AuditEntry
from tests.factories import AliasFactory, BranchFactory, ProfileFieldFactory, UserFactory

USERS = "/api/v1/users/"


def rows(start: int, count: int, branch: int, manager: int) -> list[dict[str, Any]]:
    return [
        {
            "username": f"new{n}",
            "email": f"new{n}@example.com",
            "role": "power_user" if n % 2 else "learner",
            "rights": ["users.view"] if n % 2 else [],
            "branches": [branch],
            "managers": [manager],
            "assigned_users": [manager] if n % 2 else [],
            "assigned_branches": [branch] if n % 2 else [],
            "profile": {"shoe": 40 + n},
        }
        for n in range(start, start + count)
    ]


def test_a_list_gives_what_one_by_one_gives(api: Any, learner: User) -> None:
    branch = BranchFactory.create().pk
    ProfileFieldFactory.create(key="shoe", type="number")
    bodies = rows(0, 4, branch, learner.pk)
    listed = api.post(USERS, bodies, format="json")
    assert listed.status_code == 201, listed.content
    for shown in listed.json():
        User.objects.filter(pk=shown["id"]).update(username=f"old{shown['id']}", email=f"old{shown['id']}@example.com")
    single = [api.post(USERS, body, format="json").json() for body in bodies]
    assert [{**row, "id": 0} for row in single] == [{**row, "id": 0} for row in listed.json()]
    assert AuditEntry.objects.filter(action="user.created").count() == 8


def test_it_takes_a_constant_number_of_queries(api: Any, learner: User) -> None:
    branch = BranchFactory.create().pk
    ProfileFieldFactory.create(key="shoe", type="number")
    counts = []
    for start, count in ((0, 4), (100, 200)):
        with CaptureQueriesContext(connection) as queries:
            assert api.post(USERS, rows(start, count, branch, learner.pk), format="json").status_code == 201
        counts.append(len([query for query in queries if "last_used_at" not in query["sql"]]))
    assert counts[0] == counts[1]


def test_it_names_every_row_that_clashes(api: Any, problem: Any, learner: User) -> None:
    AliasFactory.create(user=learner, value="Former")
    bodies = [
        {"username": "fine", "email": "fine@example.com"},
        {"username": "FINE", "email": "b@example.com"},
        {"username": "Jane", "email": "c@example.com"},
        {"username": "former", "email": "d@example.com"},
        {"username": "e", "email": learner.email.upper()},
    ]
    body = problem(api.post(USERS, bodies, format="json"), 409)
    assert [error["field"] for error in body["errors"]] == ["1.username", "2.username", "3.username", "4.email"]
    assert not User.objects.filter(username="fine").exists()


def test_it_names_unknown_relations_and_values(api: Any, problem: Any) -> None:
    new = {"username": "a", "email": "a@example.com"}
    for change, status in (
        ({"branches": [999_999]}, 404),
        ({"managers": [999_999]}, 404),
        ({"profile": {"nonsense": 1}}, 400),
        ({"assigned_users": [UserFactory.create().pk]}, 409),
        ({"rights": ["users.view"]}, 409),
        ({"password": "12345678"}, 400),
    ):
        body = problem(api.post(USERS, [new | change], format="json"), status)
        assert body["errors"][0]["field"].startswith(f"0.{next(iter(change))}")


def test_power_users_make_learners_in_their_branches(caller: Any, power_user: User, problem: Any) -> None:
    own, other = BranchFactory.create(), BranchFactory.create()
    power_user.assigned_branches.create(branch=own)
    client = caller(power_user)
    new = {"username": "a", "email": "a@example.com"}
    assert problem(client.post(USERS, [new], format="json"), 400)["errors"][0]["field"].endswith("branches")
    problem(client.post(USERS, [{**new, "branches": [other.pk]}], format="json"), 404)
    problem(client.post(USERS, [{**new, "branches": [own.pk], "role": "superadmin"}], format="json"), 403)
    assert client.post(USERS, [{**new, "branches": [own.pk]}], format="json").status_code == 201
