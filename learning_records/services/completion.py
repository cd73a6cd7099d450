"""What follows when an enrollment is, or becomes, completed: its learning record, certifications, learning plans."""

from __future__ import annotations

from datetime import datetime

from learning_records import certification_rules
from learning_records.models import Enrollment, LearningRecord
from learning_records.plan_rules import refresh_plans
from learning_records.services import validity
from learning_records.services.receiving import NewRecord, expiry_of, pend, receive

__all__ = ["expiry_of", "follow"]


def follow(enrollment: Enrollment, *, completes: bool, actor_id: int | None, origin: str) -> None:
    """Bring everything else in line with the enrollment, which is locked and saved."""
    record = LearningRecord.objects.filter(enrollment=enrollment).first()
    if completes and record is None and enrollment.completed_at is not None:
        _give_record(enrollment, enrollment.completed_at, actor_id, origin)
        certification_rules.award(enrollment, enrollment.completed_at)
    elif record is not None:
        _correct_record(record, enrollment, actor_id, origin)
    refresh_plans([enrollment.user_id])


def _give_record(enrollment: Enrollment, completed_at: datetime, actor_id: int | None, origin: str) -> None:
    entry = NewRecord(
        user_id=enrollment.user_id,
        course_id=enrollment.course_id,
        completed_at=completed_at,
        expires_at=enrollment.expires_at,
        score=enrollment.score,
        enrollment_id=enrollment.pk,
    )
    receive([entry], actor_id=actor_id, origin=origin)


def _correct_record(record: LearningRecord, enrollment: Enrollment, actor_id: int | None, origin: str) -> None:
    """A completed enrollment was corrected: date, score and expiry of its record follow."""
    changed = {"completed_at": enrollment.completed_at, "score": enrollment.score}
    if any(getattr(record, name) != value for name, value in changed.items()):
        LearningRecord.objects.filter(pk=record.pk).update(**changed)
        pend([record.pk])
    if record.expires_at != enrollment.expires_at:
        validity.change_expiry(record.pk, expires_at=enrollment.expires_at, actor_id=actor_id, origin=origin)
