"""Receiving a record by hand; a record's page, void and restore."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AssignedUser, User
from learning_records.models import Course, Enrollment, LearningRecord, PendingRecord
from tests.factories import (
    CourseFactory,
    EnrollmentFactory,
    LearningRecordFactory,
    PowerUserFactory,
    SuperadminFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(SuperadminFactory.create())
    return client


@pytest.fixture
def learner() -> User:
    return UserFactory.create()


def add(admin: Client, learner: User, **values: Any) -> Any:
    values = {"kind": "course", "completed_on": "2026-01-31"} | values
    return admin.post(reverse("learning_records:receive", args=[learner.pk]), values)


def test_a_form_receives_a_record(admin: Client, learner: User) -> None:
    course: Course = CourseFactory.create(validity_days=10)
    response = add(admin, learner, course=course.pk, score="80")
    record = LearningRecord.objects.get()
    assert response["Location"] == f"/records/{record.pk}/"
    assert (record.user, record.course, record.score) == (learner, course, Decimal(80))
    assert record.expires_at == record.completed_at + timedelta(days=10)
    assert PendingRecord.objects.filter(record=record).exists()


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "A course record names its course."),
        ({"kind": "program"}, "A program or activity has a title."),
        ({"kind": "activity", "title": "x", "completed_on": "2999-01-01"}, "This day is in the future."),
        ({"kind": "activity", "title": "x", "expires_on": "2020-01-01"}, "This is before the completion."),
        ({"kind": "activity", "title": "x", "score": "101"}, "less than or equal to 100"),
    ],
)
def test_the_form_says_what_is_wrong(admin: Client, learner: User, values: dict[str, str], sentence: str) -> None:
    assert sentence in add(admin, learner, **values).content.decode()
    assert not LearningRecord.objects.exists()


def test_a_record_is_voided_with_a_reason_and_restored(admin: Client, learner: User) -> None:
    record = LearningRecordFactory.create(user=learner)
    page = reverse("learning_records:record", args=[record.pk])
    without = admin.post(f"{page}void/", {"reason": " "})
    assert "This field is required." in without.content.decode()
    done = admin.post(f"{page}void/", {"reason": "wrong person"}, follow=True).content.decode()
    assert "wrong person" in done
    assert "Restore record" in done
    record.refresh_from_db()
    assert record.voided_at is not None
    again = admin.post(f"{page}void/", {"reason": "wrong person"}, follow=True).content.decode()
    assert "void already" in again
    assert "Void record" in admin.post(f"{page}restore/", follow=True).content.decode()
    record.refresh_from_db()
    assert record.voided_at is None


def test_voiding_a_completion_from_its_record_voids_the_enrollment(admin: Client, learner: User) -> None:
    enrollment: Enrollment = EnrollmentFactory.create(user=learner, status="completed", completed_at=timezone.now())
    record = LearningRecordFactory.create(user=learner, course=enrollment.course, enrollment=enrollment)
    admin.post(reverse("learning_records:void", args=[record.pk]), {"reason": "mistake"})
    enrollment.refresh_from_db()
    assert enrollment.voided_at is not None


def test_an_equivalency_shows_its_origin_and_offers_nothing(admin: Client, learner: User) -> None:
    origin = LearningRecordFactory.create()
    row = LearningRecordFactory.create(user=learner, course=origin.course, origin="equivalency", equivalent_of=origin)
    text = admin.get(reverse("learning_records:record", args=[row.pk])).content.decode()
    assert f"/records/{origin.pk}/" in text
    assert "Void record" not in text
    refused = admin.post(reverse("learning_records:void", args=[row.pk]), {"reason": "x"}, follow=True)
    assert "An equivalency follows the record" in refused.content.decode()


def test_learners_look_at_their_own_and_change_nothing(client: Client, learner: User) -> None:
    own, foreign = LearningRecordFactory.create(user=learner), LearningRecordFactory.create()
    client.force_login(learner)
    text = client.get(reverse("learning_records:record", args=[own.pk])).content.decode()
    assert "Void record" not in text
    assert client.get(reverse("learning_records:record", args=[foreign.pk])).status_code == 404
    assert client.post(reverse("learning_records:void", args=[own.pk]), {"reason": "x"}).status_code == 403
    assert client.get(reverse("learning_records:receive", args=[learner.pk])).status_code == 403


def test_power_users_reach_their_own_people_alone(client: Client, learner: User) -> None:
    power, course = PowerUserFactory.create(), CourseFactory.create()
    AssignedUser.objects.create(power_user=power, user=learner)
    client.force_login(power)
    assert add(client, learner, course=course.pk).status_code == 302
    assert add(client, UserFactory.create(), course=course.pk).status_code == 404
    foreign = LearningRecordFactory.create()
    assert client.post(reverse("learning_records:void", args=[foreign.pk]), {"reason": "x"}).status_code == 404


def test_the_transcript_leads_to_the_record(admin: Client, learner: User) -> None:
    record = LearningRecordFactory.create(user=learner, title="<b>Bold</b>")
    text = admin.get(f"/users/{learner.pk}/").content.decode()
    assert f'<a href="/records/{record.pk}/">&lt;b&gt;Bold&lt;/b&gt;</a>' in text
    assert f"/users/{learner.pk}/records/new/" in text
