"""Whatever is sent, to whatever address, the answer is a problem that says what is wrong; never a fault of ours."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from accounts.models import User
from lms.api import RESOURCES
from tests.factories import CourseFactory, EnrollmentFactory, LearningRecordFactory, UserFactory
from tests.test_rest_bulk import KINDS

V1 = "/api/v1/"
FEW: list[Any] = [None, True, 2**63, "a\x00b", "\ud800", "9999-12-31T23:59:59Z", [None], {"": ""}]
MORE: list[Any] = [
    -1, "",
    0, 1, 2**31, 10**30, 1.5, 1e308, " ", "1", "x" * 10_000, "2026-02-30T00:00:00Z", "0001-01-01T00:00:00Z",
    [], [1], [[]], ["x"], [10**30], {}, {"a": {"a": []}}, {"\x00": 1},
]  # fmt: skip
VALUES = FEW + MORE if "FUZZ_REST_EXAMPLES" in os.environ else FEW
BODIES: list[Any] = [
    None,
    True,
    1,
    "x",
    [],
    [[]],
    [None],
    {},
    {"": 1},
    {"x": 1},
    [{}],
    [{"id": 1}, 5],
    {"__proto__": {}},
]
QUERIES = [
    "?x=1",
    "?cursor=%00",
    "?ordering=%00",
    "?page_size=99999999999",
    "?page_size=%D9%A3",
    "?user=%00",
    "?%00=1",
    "?a&b&&=",
    "?user=1&user=x",
    "?search=%FF%FE",
]


def _users(users: list[User], n: int) -> list[dict[str, Any]]:
    return [{"username": f"new{i}", "email": f"new{i}@example.com", "profile": {}} for i in range(n)]


def _merges(users: list[User], n: int) -> list[dict[str, Any]]:
    return [{"source": users[0].pk, "destination": users[1].pk, "choices": {}, "digest": "x"}]


def _links(users: list[User], n: int) -> list[dict[str, Any]]:
    return [{"username": users[0].username, "password": "x", "generate_equivalencies": True}]


PAYLOADS: dict[str, Callable[[list[User], int], list[dict[str, Any]]]] = {
    **KINDS,
    "users": _users,
    "merges": _merges,
    "merges/preview": _merges,
    "links": _links,
}


def sound(answer: Any, sent: Any) -> None:
    """No fault, and every refusal is a problem with its status and code."""
    assert answer.status_code < 500, (sent, answer.content[:500])
    if answer.status_code >= 400:
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["status"] == answer.status_code
        assert answer.json()["code"]


def send(api: Any, method: str, path: str, body: Any) -> Any:
    return api.generic(method, path, json.dumps(body), content_type="application/json")


def variants(valid: dict[str, Any], names: list[str]) -> Iterator[dict[str, Any]]:
    for name in names:
        for value in VALUES:
            yield {**valid, name: value}


def names_of(path: str) -> list[str]:
    resource = path.partition("/")[0]
    view: Any = RESOURCES[resource]
    return list(view.serializer_class().get_fields())


@pytest.mark.timeout(300)
@pytest.mark.parametrize("path", PAYLOADS)
def test_no_body_is_a_fault_of_ours(api: Any, path: str) -> None:
    users = [UserFactory.create(), UserFactory.create()]
    valid = PAYLOADS[path](users, 1)[0]
    for body in (*BODIES, *variants(valid, list(dict.fromkeys([*names_of(path), *valid])))):
        sound(send(api, "POST", f"{V1}{path}/", body), body)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("path", [path for path in PAYLOADS if path not in ("links", "merges", "merges/preview")])
def test_no_change_is_a_fault_of_ours(api: Any, path: str) -> None:
    users = [UserFactory.create(), UserFactory.create()]
    made = api.post(f"{V1}{path}/", PAYLOADS[path](users, 1)[0], format="json").json()
    for body in (*BODIES, *variants({}, names_of(path))):
        sound(send(api, "PATCH", f"{V1}{path}/{made['id']}/", body), body)
    assert api.get(f"{V1}{path}/{made['id']}/").status_code == 200


@pytest.mark.parametrize("path", RESOURCES)
def test_no_address_is_a_fault_of_ours(api: Any, path: str) -> None:
    for query in QUERIES:
        sound(api.get(f"{V1}{path}/{query}"), query)
    for key in ("0", "-1", "x", "1.5", "%00", "9" * 18, "9" * 30, "%F0%9F%92%A9", "..", "1%20"):
        for method in ("get", "patch", "delete", "put", "post"):
            sound(getattr(api, method)(f"{V1}{path}/{key}/"), (method, key))


@pytest.mark.parametrize(
    "act", ["users/{}/deactivate", "users/{}/reactivate", "enrollments/{}/void", "enrollments/{}/restore", "learning-records/{}/void", "learning-records/{}/restore", "merges/{}/undo"]
)  # fmt: skip
def test_no_act_is_a_fault_of_ours(api: Any, act: str, learner: User) -> None:
    enrollment = EnrollmentFactory.create(user=learner)
    record = LearningRecordFactory.create(user=learner)
    merge = api.post(
        f"{V1}merges/", {"source": UserFactory.create().pk, "destination": UserFactory.create().pk}, format="json"
    ).json()
    rows = {"users": learner.pk, "enrollments": enrollment.pk, "learning-records": record.pk, "merges": merge["id"]}
    path = V1 + act.format(rows[act.partition("/")[0]]) + "/"
    for body in (*BODIES, *variants({}, ["reason"])):
        sound(send(api, "POST", path, body), body)


@pytest.mark.parametrize(
    "header", ["Authorization", "Content-Type", "Accept", "Idempotency-Key", "X-CSRFToken", "Host"]
)
def test_no_header_is_a_fault_of_ours(api: Any, header: str) -> None:
    course = CourseFactory.create()
    for value in (
        "",
        "x",
        "\xff",
        "x" * 5000,
        "Bearer",
        "Bearer \xff",
        "*/*",
        "text/html",
        "application/json; charset=x",
    ):
        for method in ("get", "post", "patch"):
            path = f"{V1}courses/" if method == "post" else f"{V1}courses/{course.pk}/"
            sound(getattr(api, method)(path, headers={header: value}), (header, value))
