"""Records arrive: from REST, from CSV, from an admin's form, from a completed enrollment. One or many, set-based."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.db import transaction
from django.db.models import Q

import audit.services
from accounts.models import Status, User
from learning_records.errors import EntriesInvalid
from learning_records.models import Course, LearningRecord, PendingRecord
from learning_records.services.writing import lock_accounts

BY_COURSE: Final = "by the course's validity"


@dataclass(frozen=True)
class NewRecord:
    """One record to receive. `expires_at` None: never; left out: as long as the course says. `score` in points of 100."""

    user_id: int
    completed_at: datetime
    kind: str = LearningRecord.Kind.COURSE
    course_id: int | None = None
    title: str = ""
    expires_at: datetime | str | None = BY_COURSE
    score: Decimal | None = None
    enrollment_id: int | None = None


@transaction.atomic
def receive(entries: Sequence[NewRecord], *, actor_id: int | None, origin: str = "") -> list[LearningRecord]:
    """Write the records, in the order of the entries; all or none. Raises EntriesInvalid, or StateForbids."""
    courses = Course.objects.in_bulk({entry.course_id for entry in entries if entry.course_id is not None})
    users = _standing({entry.user_id for entry in entries})
    errors = [error for place, entry in enumerate(entries) for error in _problems(place, entry, users, courses)]
    if errors:
        raise EntriesInvalid(errors)
    targets = lock_accounts(users, actor_id)
    records = LearningRecord.objects.bulk_create([_record(entry, targets, courses) for entry in entries])
    pend(record.pk for record in records)
    _tell(records, actor_id, origin)
    return records


def pend(record_ids: Iterable[int]) -> None:
    """Note that something may be owed because of these records."""
    PendingRecord.objects.bulk_create([PendingRecord(record_id=record_id) for record_id in record_ids])


def expiry_of(course: Course | None, completed_at: datetime) -> datetime | None:
    """When a completion of this course ends to be valid; None: never."""
    if course is None or course.validity_days is None:
        return None
    return completed_at + timedelta(days=course.validity_days)


def _standing(ids: Iterable[int]) -> set[int]:
    gone = Q(status=Status.DELETED, merged_into=None)
    return set(User.objects.filter(pk__in=set(ids)).exclude(gone).values_list("id", flat=True))


def _problems(place: int, entry: NewRecord, users: set[int], courses: Mapping[int, Course]) -> Iterator[dict[str, Any]]:
    found = list(_kind_problems(entry))
    if entry.user_id not in users:
        found.append(("user", "does_not_exist", "There is no such account."))
    if entry.course_id is not None and entry.course_id not in courses:
        found.append(("course", "does_not_exist", "There is no such course."))
    for field, code, detail in found:
        yield {"index": place, "field": field, "code": code, "detail": detail}


def _kind_problems(entry: NewRecord) -> Iterator[tuple[str, str, str]]:
    if entry.kind not in LearningRecord.Kind.values:
        yield "kind", "invalid_choice", "The kind is course, program or activity."
    elif entry.kind == LearningRecord.Kind.COURSE:
        if entry.course_id is None:
            yield "course", "required", "A course record names its course."
    elif entry.course_id is not None:
        yield "course", "not_allowed", "Only a course record names a course."
    elif not entry.title.strip():
        yield "title", "required", "A program or activity has a title."


def _record(entry: NewRecord, targets: Mapping[int, int], courses: Mapping[int, Course]) -> LearningRecord:
    course = courses[entry.course_id] if entry.course_id is not None else None
    expires_at = expiry_of(course, entry.completed_at) if isinstance(entry.expires_at, str) else entry.expires_at
    return LearningRecord(
        user_id=targets[entry.user_id],
        kind=entry.kind,
        course=course,
        title=entry.title,
        completed_at=entry.completed_at,
        expires_at=expires_at,
        score=entry.score,
        enrollment_id=entry.enrollment_id,
    )


def _tell(records: Sequence[LearningRecord], actor_id: int | None, origin: str) -> None:
    by_account: dict[int, list[int]] = {}
    for record in records:
        by_account.setdefault(record.user_id, []).append(record.pk)
    audit.services.announce_all("learning_record.received", [(_payload(record), record.user_id) for record in records])
    audit.services.record_all(
        "learning_record.received",
        [(account_id, {"records": ids}) for account_id, ids in sorted(by_account.items())],
        actor_id=actor_id,
        origin=origin,
    )


def _payload(record: LearningRecord) -> dict[str, Any]:
    return {
        "learning_record": record.pk,
        "user": record.user_id,
        "kind": str(record.kind),
        "course": record.course_id,
        "completed_at": record.completed_at.isoformat(),
        "expires_at": record.expires_at.isoformat() if record.expires_at else None,
    }
