"""A list of rows in one POST takes a constant number of queries, whatever its length, and is written whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from learning_records.models import CertificationAward, Course, Enrollment, LearningRecord, PendingRecord
from lms.api import RESOURCES
from rest_contract.views import WritableRows
from tests.factories import (
    BadgeFactory,
    BranchFactory,
    CertificationFactory,
    CourseFactory,
    LearningPlanFactory,
    RewardFactory,
    SubscriptionPlanFactory,
    UserFactory,
)

Rows = Callable[[list[User], int], list[dict[str, Any]]]
WHEN = "2026-05-31T12:00:00Z"


def _each(**fixed: Any) -> Rows:
    return lambda users, n: [{"user": users[i % len(users)].pk, **fixed} for i in range(n)]


def _per_user(**factories: Any) -> Rows:
    """Another thing for each row, so that no two rows are for the same account and thing."""

    def rows(users: list[User], n: int) -> list[dict[str, Any]]:
        things = {name: [factory.create() for _ in range(n // len(users) + 1)] for name, factory in factories.items()}
        return [
            {"user": users[i % len(users)].pk, **{name: made[i // len(users)].pk for name, made in things.items()}}
            for i in range(n)
        ]

    return rows


def _completed(users: list[User], n: int) -> list[dict[str, Any]]:
    rows = _per_user(course=CourseFactory)(users, n)
    for course in Course.objects.filter(pk__in={row["course"] for row in rows}):
        CertificationFactory.create(courses=[course], validity_days=30)
    return [{**row, "status": "completed", "completed_at": WHEN} for row in rows]


def _tracking(users: list[User], n: int) -> list[dict[str, Any]]:
    course = CourseFactory.create()
    made = [Enrollment.objects.create(user=user, course=course) for user in users]
    return [
        {"enrollment": made[i % len(made)].pk, "material": f"m{i}", "kind": "xapi", "responses": {"q": i}}
        for i in range(n)
    ]


_numbers = count()
KINDS: dict[str, Rows] = {
    "courses": lambda users, n: [{"title": f"T{i}"} for i in range(n)],
    "branches": lambda users, n: [{"name": f"T{i}", "parent": None} for i in range(n)],
    "profile-fields": lambda users, n: [{"key": f"k{next(_numbers)}", "label": "x"} for i in range(n)],
    "learning-plans": lambda users, n: [
        {"title": "x", "courses": [c]} for c in [CourseFactory.create().pk] for _ in range(n)
    ],
    "certifications": lambda users, n: [
        {"title": "x", "courses": [c]} for c in [CourseFactory.create().pk] for _ in range(n)
    ],
    "badges": lambda users, n: [{"name": "x", "points": 1} for _ in range(n)],
    "rewards": lambda users, n: [{"name": "x", "coins": 1} for _ in range(n)],
    "subscription-plans": lambda users, n: [
        {"name": "x", "branches": [b]} for b in [BranchFactory.create().pk] for _ in range(n)
    ],
    "learning-plan-enrollments": _per_user(learning_plan=LearningPlanFactory),
    "enrollments": _per_user(course=CourseFactory),
    "material-tracking": _tracking,
    "certificates": _per_user(course=CourseFactory),
    "certification-awards": lambda users, n: [
        {**row, "source": "external"} for row in _per_user(certification=CertificationFactory)(users, n)
    ],
    "competency-awards": lambda users, n: [
        {"user": users[i % len(users)].pk, "competency": f"c{i}", "level": 1} for i in range(n)
    ],
    "external-trainings": lambda users, n: [
        {**row, "title": "x", "completed_at": WHEN} for row in _per_user(certification=CertificationFactory)(users, n)
    ],
    "learning-records": lambda users, n: [
        {**row, "kind": "course", "completed_at": WHEN} for row in _per_user(course=CourseFactory)(users, n)
    ],
    "badge-awards": _per_user(badge=BadgeFactory),
    "point-entries": _each(amount=5),
    "coin-entries": _each(amount=-5),
    "reward-requests": _per_user(reward=RewardFactory),
    "subscriptions": _per_user(plan=SubscriptionPlanFactory),
    "transactions": _each(amount="19.90", currency="EUR"),
    "webhooks": lambda users, n: [{"url": "https://example.invalid/"} for _ in range(n)],
}


def test_every_resource_that_can_be_written_takes_a_list() -> None:
    writable = {name for name, view in RESOURCES.items() if issubclass(view, WritableRows)}
    assert writable == {*KINDS, "users"}  # lists of users have tests of their own


@pytest.mark.parametrize("kind", KINDS)
def test_it_takes_a_constant_number_of_queries(api: Any, kind: str) -> None:
    counts = [_queries(api, kind, KINDS[kind]([UserFactory.create() for _ in range(3)], n)) for n in (6, 90)]
    assert counts[0] == counts[1]


def test_it_completes_many_in_a_constant_number_of_queries(api: Any) -> None:
    counts = [_queries(api, "enrollments", _completed([UserFactory.create() for _ in range(3)], n)) for n in (6, 60)]
    assert counts[0] == counts[1]
    assert LearningRecord.objects.count() == PendingRecord.objects.count() == CertificationAward.objects.count() == 66


def test_it_takes_a_thousand_records(api: Any) -> None:
    users = [UserFactory.create() for _ in range(10)]
    rows = KINDS["learning-records"](users, 1000)
    assert _queries(api, "learning-records", rows) < 30
    assert LearningRecord.objects.count() == 1000


def test_it_writes_nothing_when_the_last_row_is_refused(api: Any, problem: Any, learner: User) -> None:
    course = CourseFactory.create()
    rows = [{"user": learner.pk, "course": course.pk}] * 2
    assert problem(api.post("/api/v1/enrollments/", rows, format="json"), 409, "already_enrolled")["places"] == [1]
    award = {"user": learner.pk, "competency": "x", "level": 1}
    body = problem(
        api.post("/api/v1/competency-awards/", [{**award, "competency": "y"}, award, award], format="json"), 409
    )
    assert {error["field"] for error in body["errors"]} == {"2.user", "2.competency"}
    assert not Enrollment.objects.exists()
    assert api.get("/api/v1/competency-awards/").json()["results"] == []


def _queries(api: Any, kind: str, rows: list[dict[str, Any]]) -> int:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        answer = api.post(f"/api/v1/{kind}/", rows, format="json")
    assert answer.status_code == 201, answer.content[:500]
    assert len(answer.json()) == len(rows)
    return len([query for query in queries if "last_used_at" not in query["sql"]])
