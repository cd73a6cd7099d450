"""Accounts enter courses, get on, complete them; enrollments become void and valid again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import Q

import audit.services
from learning_records.errors import AlreadyEnrolled, EntriesInvalid, StateForbids
from learning_records.models import Course, Enrollment, LearningRecord
from learning_records.services import completion, validity
from learning_records.services.writing import lock_account, lock_row, moment

Status = Enrollment.Status
EDITABLE: Final = ("status", "score", "progress", "enrolled_at", "started_at", "completed_at", "expires_at")


@transaction.atomic
def enroll(
    user_id: int,
    course_id: int,
    values: Mapping[str, Any] | None = None,
    *,
    actor_id: int | None,
    origin: str = "",
    by_hand: bool = False,
) -> Enrollment:
    """Put the account into the course; `values` are any of EDITABLE. With status completed it completes at once.

    A current enrollment that is void, withdrawn or expired becomes historical; any other raises AlreadyEnrolled.
    `by_hand`: a person set the completion date; who and when is kept. Raises EntriesInvalid and StateForbids too.
    """
    target = lock_account(user_id, actor_id)
    course = Course.objects.get(pk=course_id)
    _make_room(target, course_id)
    enrollment = Enrollment(user_id=target, course=course, enrolled_at=moment())
    completes = apply_values(enrollment, values or {}, actor_id if by_hand else None)
    try:
        with transaction.atomic():
            enrollment.save(force_insert=True)
    except IntegrityError as error:  # another request enrolled it meanwhile
        raise AlreadyEnrolled from error
    _tell("enrollment.added", enrollment, values or {}, actor_id, origin)
    completion.follow(enrollment, completes=completes, actor_id=actor_id, origin=origin)
    return enrollment


@transaction.atomic
def update_enrollment(
    enrollment_id: int, values: Mapping[str, Any], *, actor_id: int | None, origin: str = "", by_hand: bool = False
) -> Enrollment:
    """Change some of EDITABLE. Becoming completed gives the account one learning record, and what follows from it.

    Raises StateForbids for a void or historical enrollment and for one that would stop being completed, and
    EntriesInvalid.
    """
    enrollment = lock_enrollment(enrollment_id, actor_id)
    if enrollment.is_historical:
        raise StateForbids("A historical enrollment is kept as it was.", code="is_historical")
    if enrollment.voided_at is not None:
        raise StateForbids("The enrollment is void; restore it first.", code="is_void")
    completes = apply_values(enrollment, values, actor_id if by_hand else None)
    enrollment.save(update_fields=[*EDITABLE, "completion_set_by", "completion_set_at"])
    _tell("enrollment.changed", enrollment, values, actor_id, origin)
    completion.follow(enrollment, completes=completes, actor_id=actor_id, origin=origin)
    return enrollment


@transaction.atomic
def void_enrollment(enrollment_id: int, *, reason: str, actor_id: int | None, origin: str = "") -> Enrollment:
    """Say that the enrollment never counted, and why; with it, its learning record. Raises StateForbids."""
    validity.check_reason(reason)
    enrollment = lock_enrollment(enrollment_id, actor_id)
    if enrollment.voided_at is not None:
        raise StateForbids("The enrollment is void already.", code="already_void")
    record = _record_of(enrollment, actor_id)
    if record is not None and record.voided_at is None:
        validity.set_void(record, reason, actor_id, origin)
    enrollment.voided_at, enrollment.void_reason = moment(), reason[:300]
    enrollment.save(update_fields=["voided_at", "void_reason"])
    _tell("enrollment.voided", enrollment, (), actor_id, origin)
    return enrollment


@transaction.atomic
def restore_enrollment(enrollment_id: int, *, reason: str = "", actor_id: int | None, origin: str = "") -> Enrollment:
    """Take a void back; with it, that of its learning record. Raises StateForbids."""
    enrollment = lock_enrollment(enrollment_id, actor_id)
    if enrollment.voided_at is None:
        raise StateForbids("The enrollment isn't void.", code="not_void")
    record = _record_of(enrollment, actor_id)
    if record is not None and record.voided_at is not None:
        validity.set_restored(record, reason, actor_id, origin)
    enrollment.voided_at, enrollment.restore_reason = None, reason[:300]
    enrollment.save(update_fields=["voided_at", "restore_reason"])
    _tell("enrollment.restored", enrollment, (), actor_id, origin)
    return enrollment


def lock_enrollment(enrollment_id: int, actor_id: int | None) -> Enrollment:
    """The enrollment, locked after its account. Raises Enrollment.DoesNotExist."""
    return lock_row(Enrollment.objects.select_related("course"), enrollment_id, actor_id)


def _record_of(enrollment: Enrollment, actor_id: int | None) -> LearningRecord | None:
    record_id = LearningRecord.objects.filter(enrollment=enrollment).values_list("id", flat=True).first()
    return validity.lock_record(record_id, actor_id) if record_id is not None else None


def _make_room(user_id: int, course_id: int) -> None:
    """What doesn't count any more gives way to a new enrollment."""
    now = moment()
    over = Q(voided_at__isnull=False) | Q(status=Status.WITHDRAWN) | Q(status=Status.COMPLETED, expires_at__lte=now)
    current = Enrollment.objects.current().filter(user_id=user_id, course_id=course_id)
    current.filter(over).update(is_historical=True)
    if current.exists():
        raise AlreadyEnrolled


def apply_values(enrollment: Enrollment, values: Mapping[str, Any], by_hand_id: int | None) -> bool:
    """Set the values; whether the enrollment becomes completed by them."""
    before = enrollment.status if enrollment.pk else None
    for name in EDITABLE:
        if name in values:
            setattr(enrollment, name, values[name])
    completed = enrollment.status == Status.COMPLETED
    if before == Status.COMPLETED and not completed:
        raise StateForbids("A completed enrollment stays completed; it can be voided.", code="is_completed")
    _check(enrollment, completed)
    if completed and before != Status.COMPLETED:
        _complete(enrollment, values)
    if completed and by_hand_id is not None and values.get("completed_at") is not None:
        enrollment.completion_set_by_id, enrollment.completion_set_at = by_hand_id, moment()
    return completed and before != Status.COMPLETED


def _check(enrollment: Enrollment, completed: bool) -> None:
    problems = []
    if enrollment.status not in Status.values:
        problems.append(("status", "invalid_choice", "There is no such status."))
    if not 0 <= enrollment.progress <= 100:
        problems.append(("progress", "out_of_range", "The progress is between 0 and 100 percent."))
    if enrollment.completed_at is not None and not completed:
        problems.append(("completed_at", "not_completed", "Only a completed enrollment has a completion date."))
    if problems:
        raise EntriesInvalid([{"index": 0, "field": f, "code": code, "detail": text} for f, code, text in problems])


def _complete(enrollment: Enrollment, values: Mapping[str, Any]) -> None:
    enrollment.completed_at = enrollment.completed_at or moment()
    if "expires_at" not in values:
        enrollment.expires_at = completion.expiry_of(enrollment.course, enrollment.completed_at)
    if "progress" not in values:
        enrollment.progress = 100


def _tell(action: str, enrollment: Enrollment, names: Iterable[str], actor_id: int | None, origin: str) -> None:
    """The audit names the fields that were given, never their values."""
    fields = {"fields": sorted(names)} if names else {}
    detail = {"enrollment": enrollment.pk, "course": enrollment.course_id, "status": str(enrollment.status), **fields}
    audit.services.record(action, actor_id=actor_id, subject_id=enrollment.user_id, detail=detail, origin=origin)
