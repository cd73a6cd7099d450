"""Enrolling, completing by hand, voiding and checking certificates, over HTTP."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AssignedUser, User
from learning_records.models import Enrollment, LearningRecord
from tests.factories import (
    CertificateFactory,
    CourseFactory,
    EnrollmentFactory,
    PowerUserFactory,
    SuperadminFactory,
    UserFactory,
    at,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss() -> User:
    return SuperadminFactory.create()


@pytest.fixture
def desk(client: Client, boss: User) -> Client:
    """A superadmin's browser."""
    client.force_login(boss)
    return client


def test_it_enrolls(desk: Client) -> None:
    user, course = UserFactory.create(), CourseFactory.create()
    answer = desk.post(reverse("learning_records:enroll", args=[user.pk]), {"course": course.pk})
    enrollment = Enrollment.objects.get(user=user)
    assert answer["Location"] == reverse("learning_records:enrollment", args=[enrollment.pk])
    assert (enrollment.course, enrollment.status) == (course, "enrolled")


def test_it_keeps_who_set_a_completion(desk: Client, boss: User) -> None:
    user, course = UserFactory.create(), CourseFactory.create()
    data = {"course": course.pk, "completed_on": "2024-05-06", "score": "88"}
    desk.post(reverse("learning_records:enroll", args=[user.pk]), data)
    enrollment = Enrollment.objects.get(user=user)
    assert (enrollment.status, enrollment.completion_set_by) == ("completed", boss)
    assert enrollment.completion_set_at is not None
    assert LearningRecord.objects.get(enrollment=enrollment).completed_at == enrollment.completed_at


def test_it_says_that_somebody_is_enrolled_already(desk: Client) -> None:
    enrollment = EnrollmentFactory.create()
    page = desk.post(reverse("learning_records:enroll", args=[enrollment.user_id]), {"course": enrollment.course_id})
    assert "enrolled in this course already" in page.content.decode()
    assert Enrollment.objects.count() == 1


@pytest.mark.parametrize("day", ["", "31.12.2024"])
def test_it_asks_for_a_day(desk: Client, day: str) -> None:
    enrollment = EnrollmentFactory.create()
    page = desk.post(
        reverse("learning_records:enrollment", args=[enrollment.pk]), {"act": "complete", "completed_on": day}
    )
    assert page.status_code == 200
    enrollment.refresh_from_db()
    assert enrollment.completed_at is None


def test_it_voids_and_restores(desk: Client) -> None:
    enrollment = EnrollmentFactory.create(completed=True)
    address = reverse("learning_records:enrollment", args=[enrollment.pk])
    desk.post(address, {"act": "void", "reason": "cheated"})
    enrollment.refresh_from_db()
    assert (enrollment.void_reason, enrollment.voided_at is None) == ("cheated", False)
    desk.post(address, {"act": "restore", "reason": "cleared"})
    enrollment.refresh_from_db()
    assert enrollment.voided_at is None


def test_it_hides_what_is_not_yours(client: Client) -> None:
    helper, mine, other = PowerUserFactory.create(), EnrollmentFactory.create(), EnrollmentFactory.create()
    AssignedUser.objects.create(power_user=helper, user=mine.user)
    client.force_login(helper)
    pages = [reverse("learning_records:enrollment", args=[row.pk]) for row in (mine, other)]
    assert [client.get(page).status_code for page in pages] == [200, 404]
    enroll = [reverse("learning_records:enroll", args=[row.user_id]) for row in (mine, other)]
    assert [client.get(page).status_code for page in enroll] == [200, 404]


def test_it_lets_those_who_only_view_change_nothing(client: Client) -> None:
    helper, enrollment = PowerUserFactory.create(rights=["users.view"]), EnrollmentFactory.create()
    AssignedUser.objects.create(power_user=helper, user=enrollment.user)
    client.force_login(helper)
    client.post(reverse("learning_records:enrollment", args=[enrollment.pk]), {"act": "void", "reason": "x"})
    enrollment.refresh_from_db()
    assert enrollment.voided_at is None


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, "valid"),
        ({"expires_at": at(2020)}, "expired"),
        ({"is_superseded": True}, "replaced by another certificate"),
    ],
)
def test_it_checks_a_certificate_for_everybody(client: Client, more: dict[str, Any], words: str) -> None:
    certificate = CertificateFactory.create(number="C-77", user__first_name="Ada", **more)
    page = client.get(reverse("learning_records:check_certificate"), {"number": " c-77 "}).content.decode()
    assert f'">{words}</span>' in page
    assert str(certificate.course) in page


def test_it_knows_no_invented_number(client: Client) -> None:
    page = client.get(reverse("learning_records:check_certificate"), {"number": "C-1\x00"})
    assert "No certificate has this number" in page.content.decode()
