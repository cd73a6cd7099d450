"""Records become void, valid again, or valid for longer or shorter. Their equivalencies follow."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

import audit.services
from learning_records.errors import StateForbids
from learning_records.models import EarlierValidity, Enrollment, LearningRecord
from learning_records.services.receiving import pend
from learning_records.services.writing import lock_row, moment


@transaction.atomic
def void_record(record_id: int, *, reason: str, actor_id: int | None, origin: str = "") -> LearningRecord:
    """Say that the record never counted, and why; with it, the enrollment that it came from.

    Raises StateForbids: already void, an equivalency, or no reason given.
    """
    record = lock_record(record_id, actor_id)
    check_reason(reason)
    if record.voided_at is not None:
        raise StateForbids("The record is void already.", code="already_void")
    if record.enrollment_id is not None:
        enrollments = Enrollment.objects.filter(pk=record.enrollment_id)
        enrollments.update(voided_at=moment(), void_reason=reason[:300])
    return set_void(record, reason, actor_id, origin)


@transaction.atomic
def restore_record(record_id: int, *, reason: str = "", actor_id: int | None, origin: str = "") -> LearningRecord:
    """Take a void back; with it, that of the enrollment. Raises StateForbids: not void, or an equivalency."""
    record = lock_record(record_id, actor_id)
    if record.voided_at is None:
        raise StateForbids("The record isn't void.", code="not_void")
    if record.enrollment_id is not None:
        enrollments = Enrollment.objects.filter(pk=record.enrollment_id)
        enrollments.update(voided_at=None, restore_reason=reason[:300])
    return set_restored(record, reason, actor_id, origin)


@transaction.atomic
def change_expiry(
    record_id: int, *, expires_at: datetime | None, actor_id: int | None, origin: str = ""
) -> LearningRecord:
    """Let the record be valid until another moment; None: for ever. Raises StateForbids for an equivalency."""
    record = lock_record(record_id, actor_id)
    if record.expires_at != expires_at:
        facts = {"fields": ["expires_at"]}
        _change(record, {"expires_at": expires_at}, "learning_record.expiry_changed", facts, (actor_id, origin))
    return record


def lock_record(record_id: int, actor_id: int | None) -> LearningRecord:
    """The record, locked after its account. Raises LearningRecord.DoesNotExist, and StateForbids for an equivalency."""
    record = lock_row(
        LearningRecord.objects.all(), record_id, actor_id
    )  # nor does a worker, FOR SHARE, issue meanwhile
    if record.origin == LearningRecord.Origin.EQUIVALENCY:
        detail = "An equivalency follows the record that it is equivalent to. Change that one."
        raise StateForbids(detail, code="is_an_equivalency", facts={"equivalent_of": record.equivalent_of_id})
    return record


def set_void(record: LearningRecord, reason: str, actor_id: int | None, origin: str) -> LearningRecord:
    """The record's half of a void; the record is locked."""
    values = {"voided_at": moment(), "void_reason": reason[:300]}
    return _change(record, values, "learning_record.voided", {}, (actor_id, origin))


def set_restored(record: LearningRecord, reason: str, actor_id: int | None, origin: str) -> LearningRecord:
    """The record's half of a restore; the record is locked."""
    values = {"voided_at": None, "restore_reason": reason[:300]}
    return _change(record, values, "learning_record.restored", {}, (actor_id, origin))


def check_reason(reason: str) -> None:
    """Raise StateForbids without a reason."""
    if not reason.strip():
        raise StateForbids("Say why it is voided.", code="reason_required")


def _change(
    record: LearningRecord,
    values: Mapping[str, Any],
    action: str,
    detail: Mapping[str, Any],
    by: tuple[int | None, str],
) -> LearningRecord:
    """Set the values, keep what the validity was until now, and note that equivalencies must follow."""
    EarlierValidity.objects.create(
        record=record, voided_at=record.voided_at, expires_at=record.expires_at, until=moment()
    )
    for name, value in values.items():
        setattr(record, name, value)
    record.save(update_fields=list(values))
    pend([record.pk])
    actor_id, origin = by
    facts = {"record": record.pk, **detail}
    audit.services.record(action, actor_id=actor_id, subject_id=record.user_id, detail=facts, origin=origin)
    return record
