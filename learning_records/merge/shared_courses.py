"""What the person is asked and told about the courses of both accounts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.utils import formats, timezone
from django.utils.translation import get_language

from learning_records.models import Course, Enrollment
from merging.handlers import Case, ChoiceRow, Notice

if TYPE_CHECKING:
    from learning_records.merge.enrollments import EnrollmentHandler

WARNINGS = 100


def choice_rows(case: Case, handler: EnrollmentHandler) -> list[ChoiceRow]:
    """One row per course that either side is in, ordered by title; open where both are and the policy asks."""
    unasked = replace(case, choices=replace(case.choices, courses={}, merge_enrollments=True))
    found = handler.ranked(unasked).filter(handler.live).select_related("course")
    rows = found.order_by("course__title", "course_id", "place")
    return [_choice_row(case, list(pair)) for _, pair in groupby(rows, lambda row: row.course_id)]


def _choice_row(case: Case, pair: list[Any]) -> ChoiceRow:
    best = pair[0]
    words = {row.user_id: in_words(row) for row in pair}
    source, destination = words.get(case.source.pk), words.get(case.destination.pk)
    reason = "" if case.policy.has_switches else f"{case.policy.label} decides this."
    if len(pair) == 1:
        reason = f"Only the {'destination' if source is None else 'source'} is in this course."
    return ChoiceRow(
        key=str(best.course_id),
        label=best.course.title,
        source=source,
        destination=destination,
        preselected="source" if best.user_id == case.source.pk else "destination",
        is_open=len(pair) == 2 and case.policy.has_switches,
        reason=reason,
    )


def in_words(row: Enrollment) -> str:
    """For example "Completed, score 90, 100%, completed 3 May 2025, valid until 3 May 2026"."""
    facts = [row.get_status_display()]
    if row.voided_at:
        facts.append("voided")
    if row.score is not None:
        facts.append(f"score {row.score.normalize():f}")
    facts.append(f"{row.progress}%")
    if row.completed_at:
        facts.append(f"completed {day(row.completed_at)}")
    if row.expires_at:
        facts.append(f"valid until {day(row.expires_at)}")
    return ", ".join(facts)


def day(moment: datetime) -> str:
    return _day_in_words(timezone.localtime(moment).date(), get_language())


@lru_cache(maxsize=10_000)  # a merge may name hundreds
def _day_in_words(day: date, language: str | None) -> str:
    return formats.date_format(day, "j F Y")


def wrong_courses(case: Case) -> Iterator[dict[str, str]]:
    """Choices about courses that don't exist, or that only one side is in."""
    chosen = set(case.choices.courses)
    if not chosen:
        return
    known = set(Course.objects.filter(pk__in=chosen).values_list("pk", flat=True))
    sides = {
        account.pk: set(
            Enrollment.objects.current().filter(user=account, course__in=chosen).values_list("course_id", flat=True)
        )
        for account in (case.source, case.destination)
    }
    for course in sorted(chosen - (sides[case.source.pk] & sides[case.destination.pk])):
        code, detail = (
            ("not_shared", f"Not both accounts are in course {course}, so there is nothing to choose.")
            if course in known
            else ("does_not_exist", f"There is no course {course}.")
        )
        yield {"field": f"choices.enrollments.courses.{course}", "code": code, "detail": detail}


# Groups, windows and hashes instead of joins: no planner can guess that an account has a hundred thousand rows. IS TRUE
# keeps it from making a join of the condition.
DIFFERING = """(learning_records_enrollment.course_id IN (
    SELECT course_id FROM learning_records_enrollment WHERE user_id IN (%s, %s) AND NOT is_historical GROUP BY course_id
    HAVING count(*) = 2 AND (count(expires_at) = 1 OR min(expires_at) <> max(expires_at)))) IS TRUE"""
EARLIER = """
    SELECT c.id, c.title, kept_until, expires_at
    FROM (SELECT *, first_value(expires_at) OVER (PARTITION BY course_id ORDER BY place) AS kept_until
          FROM ({ranked}) a WHERE is_alive AND size = 2) other
    JOIN learning_records_course c ON c.id = other.course_id
    WHERE place = 2 AND voided_at IS NULL AND status <> 'withdrawn'
      AND kept_until < coalesce(expires_at, CASE WHEN status = 'completed' THEN 'infinity'::timestamptz END)
    ORDER BY c.title, c.id LIMIT {limit}
"""


def earlier_ends(case: Case, handler: EnrollmentHandler) -> Iterator[Notice]:
    """A warning for each shared course whose kept record ends earlier than the other one."""
    ranked, params = handler.sort(case, DIFFERING)
    found = _fetch(EARLIER.format(ranked=ranked, limit=WARNINGS + 1), params)
    for course, title, kept, other in found[:WARNINGS]:
        until = f"is valid until {day(other)}" if other else "never ends"
        detail = f"{title}: the record that is kept is valid until {day(kept)}, while the other one {until}."
        yield Notice("earlier_validity", detail, {"course": course, "kept_until": kept, "other_until": other})
    if len(found) > WARNINGS:
        yield Notice("earlier_validity", "In more courses the record that is kept ends earlier than the other one.")


def _fetch(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found
