"""The details of a row are words for a person to read; REST keeps the values of machines."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from learning_records.models import LearningPlanEnrollment
from merging import services
from tests.factories import (
    CertificationAwardFactory,
    CourseFactory,
    EnrollmentFactory,
    LearningPlanFactory,
    LearningRecordFactory,
    TransactionFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows(source: User) -> None:
    EnrollmentFactory.create(user=source, status="in_progress", score=Decimal("95.00"), progress=40)
    EnrollmentFactory.create(user=source, status="in_progress", score=Decimal("87.50"))
    LearningRecordFactory.create(user=source, kind="activity", course=None, title="Talk", score=Decimal("100.00"))
    CertificationAwardFactory.create(user=source, source="external")
    TransactionFactory.create(user=source, amount=Decimal("19.90"), currency="EUR")


def facts(html: str) -> set[str]:
    found = re.findall(r'<span class="fact"><span class="muted">([^<]*)</span> ([^<]*)</span>', html)
    return {f"{label} {value}" for label, value in found}


def review_of(source: User, destination: User) -> str:
    return f"/merges/new/?source={source.pk}&destination={destination.pk}&policy=best_record&step=4"


def test_the_review_and_the_history_speak_in_words(
    client: Client, boss: User, source: User, destination: User, rows: None
) -> None:
    shown = facts(client.get(review_of(source, destination)).content.decode())
    assert {"status In progress", "score 95", "score 87.5", "score 100", "kind Activity", "progress 40"} <= shown
    assert {"amount 19.90", "currency EUR", "source External training"} <= shown
    merge = services.request_merge(actor=boss, source_id=source.pk, destination_id=destination.pk, policy="best_record")
    assert shown == facts(client.get(f"/merges/{merge.pk}/").content.decode())


def test_a_learning_plan_that_advances_tells_both_states_in_words(
    client: Client, boss: User, source: User, destination: User
) -> None:
    course = CourseFactory.create()
    plan = LearningPlanFactory.create(courses=[course, CourseFactory.create()])
    LearningPlanEnrollment.objects.create(user=destination, learning_plan=plan, status="enrolled")
    EnrollmentFactory.create(user=source, course=course, status="completed", completed_at=timezone.now())
    shown = facts(client.get(review_of(source, destination)).content.decode())
    assert {"before Enrolled", "after In progress"} <= shown


def test_rest_keeps_the_values(api: Any, source: User, destination: User, rows: None) -> None:
    question = {"source": source.pk, "destination": destination.pk}
    sections = api.post("/api/v1/merges/preview/", question, format="json").json()["sections"]
    details = [row["detail"] for section in sections for row in section["rows"]]
    assert {"in_progress"} <= {detail.get("status") for detail in details}
    assert {"95.00", "87.50"} <= {detail.get("score") for detail in details}


def test_what_was_chosen_by_hand_is_told_in_short(client: Client, boss: User, source: User, destination: User) -> None:
    courses = [CourseFactory.create() for _ in range(3)]
    for course in courses:
        for user, progress in ((source, 50), (destination, 10)):
            EnrollmentFactory.create(user=user, course=course, status="in_progress", progress=progress)
    chosen = {
        "profile": {"fields": {"job_title": "destination"}},
        "enrollments": {"courses": {str(course.pk): "destination" for course in courses}},
    }
    merge = services.request_merge(
        actor=boss, source_id=source.pk, destination_id=destination.pk, policy="best_record", choices=chosen
    )
    assert "<dd>job title, 3 courses</dd>" in client.get(f"/merges/{merge.pk}/").content.decode()
