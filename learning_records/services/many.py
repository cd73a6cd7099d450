"""Many enrollments and external trainings at once: what their single forms do, in a constant number of statements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction

import audit.services
from learning_records import certification_rules as rules
from learning_records.errors import AlreadyEnrolled, EntriesInvalid
from learning_records.models import CertificationAward, Course, Enrollment, ExternalTraining
from learning_records.plan_rules import refresh_plans
from learning_records.services.enrollments import apply_values
from learning_records.services.receiving import NewRecord, receive
from learning_records.services.writing import lock_accounts, moment

# What doesn't count any more gives way to a new enrollment; then: which of the pairs have a current one all the same.
MAKE_ROOM = """
    UPDATE learning_records_enrollment e SET is_historical = TRUE
    FROM unnest(%s::bigint[], %s::bigint[]) AS p(user_id, course_id)
    WHERE e.user_id = p.user_id AND e.course_id = p.course_id AND NOT e.is_historical
      AND (e.voided_at IS NOT NULL OR e.status = 'withdrawn' OR (e.status = 'completed' AND e.expires_at <= %s))
"""
TAKEN = """
    SELECT e.user_id, e.course_id FROM learning_records_enrollment e
    JOIN unnest(%s::bigint[], %s::bigint[]) AS p(user_id, course_id)
      ON e.user_id = p.user_id AND e.course_id = p.course_id
    WHERE NOT e.is_historical
"""


@transaction.atomic
def enroll_many(rows: Sequence[Mapping[str, Any]], *, actor_id: int | None, origin: str = "") -> list[Enrollment]:
    """As `enroll`, for rows with `user_id`, `course_id` and any of EDITABLE; all or none, in their order.

    Raises EntriesInvalid and AlreadyEnrolled, which name the places, and StateForbids.
    """
    targets = lock_accounts((row["user_id"] for row in rows), actor_id)
    courses = Course.objects.in_bulk({row["course_id"] for row in rows})
    pairs = [(targets[row["user_id"]], row["course_id"]) for row in rows]
    now = moment()
    _make_room(pairs, now)
    made, completed = _build(rows, pairs, courses, now)
    Enrollment.objects.bulk_create(made)
    _tell(made, actor_id, origin)
    _follow([made[place] for place in completed], actor_id, origin)
    refresh_plans(sorted({enrollment.user_id for enrollment in made}))
    return made


def _make_room(pairs: Sequence[tuple[int, int]], now: datetime) -> None:
    users, courses = [user for user, _ in pairs], [course for _, course in pairs]
    with connection.cursor() as cursor:
        cursor.execute(MAKE_ROOM, [users, courses, now])
        cursor.execute(TAKEN, [users, courses])
        taken = set(cursor.fetchall())
    places = []
    for place, pair in enumerate(pairs):
        if pair in taken:
            places.append(place)
        taken.add(pair)
    if places:
        raise AlreadyEnrolled(facts={"places": places})


def _build(
    rows: Sequence[Mapping[str, Any]],
    pairs: Sequence[tuple[int, int]],
    courses: Mapping[int, Course],
    now: datetime,
) -> tuple[list[Enrollment], list[int]]:
    """The enrollments, and the places of those that complete at once."""
    made, completed, problems = [], [], []
    for place, (row, (user_id, course_id)) in enumerate(zip(rows, pairs, strict=True)):
        enrollment = Enrollment(user_id=user_id, course=courses[course_id], enrolled_at=now)
        values = {name: value for name, value in row.items() if name not in ("user_id", "course_id")}
        if values.get("status") == Enrollment.Status.COMPLETED and values.get("completed_at") is None:
            values["completed_at"] = now
        try:
            if apply_values(enrollment, values, None):
                completed.append(place)
        except EntriesInvalid as error:
            problems += [{**problem, "index": place} for problem in error.errors]
        made.append(enrollment)
    if problems:
        raise EntriesInvalid(problems)
    return made, completed


def _follow(completed: Sequence[Enrollment], actor_id: int | None, origin: str) -> None:
    """One learning record each, and what certifications follow from it."""
    if not completed:
        return
    entries = [
        NewRecord(
            user_id=enrollment.user_id,
            course_id=enrollment.course_id,
            completed_at=enrollment.completed_at or moment(),
            expires_at=enrollment.expires_at,
            score=enrollment.score,
            enrollment_id=enrollment.pk,
        )
        for enrollment in completed
    ]
    receive(entries, actor_id=actor_id, origin=origin)
    rules.award_many([(entry.user_id, entry.course_id or 0, entry.completed_at) for entry in entries])


def _tell(made: Iterable[Enrollment], actor_id: int | None, origin: str) -> None:
    acts = [(one.user_id, {"enrollment": one.pk, "course": one.course_id, "status": str(one.status)}) for one in made]
    audit.services.record_all("enrollment.added", acts, actor_id=actor_id, origin=origin)


@transaction.atomic
def add_external_trainings(
    rows: Sequence[Mapping[str, Any]], *, actor_id: int | None, origin: str = ""
) -> list[ExternalTraining]:
    """As `add_external_training`, for rows with its arguments; all or none, in their order. Raises StateForbids."""
    targets = lock_accounts((row["user_id"] for row in rows), actor_id)
    made = ExternalTraining.objects.bulk_create(
        [ExternalTraining(**{**row, "user_id": targets[row["user_id"]]}) for row in rows]
    )
    _award([training for training in made if training.certification_id is not None])
    acts = [(one.user_id, {"external_training": one.pk}) for one in made]
    audit.services.record_all("external_training.added", acts, actor_id=actor_id, origin=origin)
    return made


def _award(trainings: Sequence[ExternalTraining]) -> None:
    """Each account's award that is valid for longest is the active one; a tie keeps what is held."""
    if not trainings:
        return
    ledger = rules.Ledger.of({(one.user_id, one.certification_id or 0) for one in trainings})
    now = moment()
    for training in trainings:
        award = CertificationAward(
            user_id=training.user_id,
            certification_id=training.certification_id or 0,
            source=CertificationAward.Source.EXTERNAL,
            external_training=training,
            issued_at=training.completed_at or now,
            expires_at=training.expires_at,
        )
        held = ledger.held(award)
        ledger.add(award, wins=held is None or rules.outlasts(training.expires_at, held.expires_at))
    ledger.store()
