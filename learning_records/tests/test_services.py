"""Receiving records, completing enrollments, voiding and restoring."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from audit.models import AuditEntry, OutboxEvent
from learning_records import services
from learning_records.errors import AlreadyEnrolled, EntriesInvalid, StateForbids
from learning_records.models import (
    CertificationAward,
    EarlierValidity,
    Enrollment,
    LearningRecord,
    PendingRecord,
)
from learning_records.services import NewRecord
from tests.factories import (
    CertificationFactory,
    CourseFactory,
    EnrollmentFactory,
    LearningPlanEnrollmentFactory,
    LearningPlanFactory,
    SuperadminFactory,
    UserFactory,
    at,
)

pytestmark = pytest.mark.django_db


def test_it_receives_many_records_in_their_order() -> None:
    one, other, course = UserFactory(), UserFactory(), CourseFactory(validity_days=10)
    entries = [
        NewRecord(one.pk, at(2026), course_id=course.pk),
        NewRecord(other.pk, at(2026), course_id=course.pk, expires_at=None),
        NewRecord(one.pk, at(2025), kind="program", title="Onboarding"),
    ]
    records = services.receive(entries, actor_id=None)
    stored = [LearningRecord.objects.get(pk=record.pk) for record in records]
    assert [record.user_id for record in stored] == [one.pk, other.pk, one.pk]
    assert [record.expires_at for record in stored] == [at(2026) + timedelta(days=10), None, None]
    assert PendingRecord.objects.count() == OutboxEvent.objects.filter(kind="learning_record.received").count() == 3
    assert AuditEntry.objects.filter(action="learning_record.received").count() == 2


def test_it_writes_none_when_one_entry_is_wrong() -> None:
    user, course = UserFactory(), CourseFactory()
    good = NewRecord(user.pk, at(2026), course_id=course.pk)
    wrong = [
        NewRecord(0, at(2026), course_id=course.pk),
        NewRecord(user.pk, at(2026)),
        NewRecord(user.pk, at(2026), course_id=0),
        NewRecord(user.pk, at(2026), kind="activity"),
        NewRecord(user.pk, at(2026), kind="program", title="x", course_id=course.pk),
        NewRecord(user.pk, at(2026), kind="wish", title="x"),
    ]
    with pytest.raises(EntriesInvalid) as refusal:
        services.receive([good, *wrong], actor_id=None)
    assert [(e["index"], e["field"]) for e in refusal.value.errors] == [
        (1, "user"),
        (2, "course"),
        (3, "course"),
        (4, "title"),
        (5, "course"),
        (6, "kind"),
    ]
    assert not LearningRecord.objects.exists()


def test_it_writes_to_the_survivor_of_a_merged_account() -> None:
    survivor = UserFactory()
    merged = UserFactory(merged_into=survivor, status="inactive")
    (record,) = services.receive([NewRecord(merged.pk, at(2026), course_id=CourseFactory().pk)], actor_id=None)
    assert record.user_id == survivor.pk


def test_it_receives_nothing_for_a_deleted_account() -> None:
    user = UserFactory(status="deleted")
    with pytest.raises(EntriesInvalid):
        services.receive([NewRecord(user.pk, at(2026), course_id=CourseFactory().pk)], actor_id=None)


def test_a_completion_gives_one_record_with_the_validity_of_the_course() -> None:
    course = CourseFactory(validity_days=365)
    enrollment = services.enroll(UserFactory().pk, course.pk, actor_id=None)
    services.update_enrollment(enrollment.pk, {"status": "completed", "completed_at": at(2026)}, actor_id=None)
    services.update_enrollment(enrollment.pk, {"score": 80}, actor_id=None)
    record = LearningRecord.objects.get()
    assert (record.enrollment_id, record.completed_at, record.score) == (enrollment.pk, at(2026), Decimal(80))
    assert record.expires_at == at(2026) + timedelta(days=365)
    enrollment.refresh_from_db()
    assert enrollment.progress == 100


def test_correcting_a_completion_corrects_its_record() -> None:
    enrollment = services.enroll(
        UserFactory().pk, CourseFactory().pk, {"status": "completed", "completed_at": at(2026)}, actor_id=None
    )
    changes = {"completed_at": at(2025), "expires_at": at(2027)}
    services.update_enrollment(enrollment.pk, changes, actor_id=None)
    record = LearningRecord.objects.get()
    assert (record.completed_at, record.expires_at) == (at(2025), at(2027))


def test_voiding_either_voids_the_other() -> None:
    enrollment = services.enroll(UserFactory().pk, CourseFactory().pk, {"status": "completed"}, actor_id=None)
    record = LearningRecord.objects.get()
    services.void_enrollment(enrollment.pk, reason="mistake", actor_id=None)
    record.refresh_from_db()
    assert record.void_reason == "mistake"
    services.restore_record(record.pk, actor_id=None)
    assert Enrollment.objects.get().voided_at is None
    services.void_record(record.pk, reason="again", actor_id=None)
    assert Enrollment.objects.get().void_reason == "again"
    services.restore_enrollment(enrollment.pk, actor_id=None)
    record.refresh_from_db()
    assert record.voided_at is None
    assert [row.voided_at is None for row in EarlierValidity.objects.order_by("until")] == [True, False, True, False]


def test_voiding_asks_for_a_reason_and_happens_once() -> None:
    (record,) = services.receive([NewRecord(UserFactory().pk, at(2026), course_id=CourseFactory().pk)], actor_id=None)
    with pytest.raises(StateForbids, match="why"):
        services.void_record(record.pk, reason=" ", actor_id=None)
    with pytest.raises(StateForbids, match="isn't void"):
        services.restore_record(record.pk, actor_id=None)
    services.void_record(record.pk, reason="mistake", actor_id=None)
    with pytest.raises(StateForbids, match="void already"):
        services.void_record(record.pk, reason="mistake", actor_id=None)


def test_it_refuses_a_second_current_enrollment() -> None:
    user, course = UserFactory(), CourseFactory()
    services.enroll(user.pk, course.pk, actor_id=None)
    with pytest.raises(AlreadyEnrolled):
        services.enroll(user.pk, course.pk, actor_id=None)


def test_a_void_enrollment_makes_room_for_a_new_one() -> None:
    user, course = UserFactory(), CourseFactory()
    first = services.enroll(user.pk, course.pk, actor_id=None)
    services.void_enrollment(first.pk, reason="mistake", actor_id=None)
    second = services.enroll(user.pk, course.pk, actor_id=None)
    assert Enrollment.objects.current().get() == second
    assert Enrollment.objects.historical().get() == first


def test_a_completed_enrollment_stays_completed() -> None:
    enrollment = EnrollmentFactory(status="completed", completed_at=at(2026))
    with pytest.raises(StateForbids, match="stays completed"):
        services.update_enrollment(enrollment.pk, {"status": "enrolled"}, actor_id=None)


def test_it_keeps_who_set_a_date_by_hand() -> None:
    admin, enrollment = SuperadminFactory(), EnrollmentFactory(status="enrolled")
    changes = {"status": "completed", "completed_at": at(2020)}
    services.update_enrollment(enrollment.pk, changes, actor_id=admin.pk, by_hand=True)
    enrollment.refresh_from_db()
    assert enrollment.completion_set_by == admin
    assert enrollment.completion_set_at is not None


def test_a_completion_gives_and_renews_a_certification() -> None:
    user, course = UserFactory(), CourseFactory()
    certification = CertificationFactory(courses=[course], validity_days=100, renewal_window_days=30)
    first = services.enroll(user.pk, course.pk, {"status": "completed", "completed_at": at(2026)}, actor_id=None)
    award = CertificationAward.objects.get(certification=certification)
    assert (award.issued_at, award.expires_at) == (at(2026), at(2026) + timedelta(days=100))
    services.void_enrollment(first.pk, reason="retake", actor_id=None)
    day = at(2026) + timedelta(days=80)
    services.enroll(user.pk, course.pk, {"status": "completed", "completed_at": day}, actor_id=None)
    award.refresh_from_db()
    assert (award.renewed_at, award.expires_at) == (day, day + timedelta(days=100))


def test_external_training_awards_what_ends_later() -> None:
    user, certification = UserFactory(), CertificationFactory()
    for title, ends in (("long", at(2030)), ("short", at(2028)), ("never", None)):
        services.add_external_training(
            user.pk, title, completed_at=at(2026), certification_id=certification.pk, expires_at=ends, actor_id=None
        )
    active = CertificationAward.objects.get(is_active=True)
    assert active.external_training is not None
    assert active.external_training.title == "never"
    assert CertificationAward.objects.filter(is_active=False).count() == 2


def test_completing_the_courses_completes_the_plan() -> None:
    courses = [CourseFactory(), CourseFactory()]
    plan = LearningPlanEnrollmentFactory(learning_plan=LearningPlanFactory(courses=courses))
    seen = []
    for course in courses:
        services.enroll(plan.user_id, course.pk, {"status": "completed"}, actor_id=None)
        plan.refresh_from_db()
        seen.append(plan.status)
    assert seen == ["in_progress", "completed"]
