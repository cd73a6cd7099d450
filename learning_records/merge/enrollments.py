"""Enrollments: all of them end on the destination; of a course that both have, the better record is current."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from django.db.models import Case as Switch
from django.db.models import F, IntegerField, OrderBy, Q, When

from learning_records.merge import shared_courses
from learning_records.merge.provenance import told_apart, with_origin
from learning_records.models import Enrollment, MaterialTracking
from merging.handlers import (
    Case,
    ChoiceRow,
    Claim,
    Notice,
    Verdict,
    Watched,
    exempt,
    register,
    stays,
)
from merging.twins import TwinHandler, owner_first

exempt("learning_records.Enrollment", "merged_from", "it tells where the enrollment came from, for good")
exempt("learning_records.Enrollment", "completion_set_by", "who set it stays who it was")

COMPLETED = Q(status="completed", voided_at=None)
STANDING = Switch(  # a voided or withdrawn record ranks last
    When(Q(voided_at__isnull=False) | Q(status="withdrawn"), then=5),
    When(status="completed", then=1),
    When(status="in_progress", then=2),
    When(status="enrolled", then=3),
    default=4,
    output_field=IntegerField(),
)
BEST_RECORD: tuple[OrderBy, ...] = (
    STANDING.asc(),
    F("score").desc(nulls_last=True),
    F("progress").desc(),
    F("expires_at").desc(nulls_first=True),
    F("completed_at").asc(nulls_last=True),
)
COMPLETED_FIRST = (Switch(When(COMPLETED, then=0), default=1, output_field=IntegerField()).asc(),)
ARRIVALS = ("moves", "wins", "wins_as_chosen")
MOVING = (*ARRIVALS, "loses", "loses_as_chosen", "aside")


@register
class EnrollmentHandler(TwinHandler):
    """Tracking, attempts and responses hang on their enrollment, so they travel with it and are never mixed."""

    key = section = "enrollments"
    claims = (Claim(Enrollment, "user"),)
    related = ("course",)
    things = ("course",)
    live = Q(is_historical=False)
    keeps = {"is_historical": False}
    loses = {"is_historical": True}
    columns = ("course_id", "merged_from_id", "status", "voided_at", "completed_at", "expires_at")
    noun = "record"

    def ranking(self, case: Case) -> tuple[Any, ...]:
        """The shared-course order of the policy; what the person chose comes before it."""
        order = BEST_RECORD if case.policy.prefers_best_record else COMPLETED_FIRST
        return (*_chosen_first(case), *order, owner_first(case.destination.pk))

    def cases(self, case: Case) -> Iterator[tuple[str, str]]:
        """As for every twin, told apart by whether the person chose, and whether it was merged before."""
        cases = super().cases(case) if case.merges_enrollments else _settled_only(case)
        yield from told_apart(_as_chosen(case, cases), MOVING)

    def classes(self, case: Case) -> Mapping[str, Verdict]:
        verdicts = {**super().classes(case), **_left_behind(case.source.pk)}
        if not case.policy.prefers_best_record:
            verdicts["wins"] = replace(verdicts["wins"], reason="completed, and the destination's isn't")
            verdicts["loses"] = replace(verdicts["loses"], reason="the destination's record has priority")
            verdicts["destination_loses"] = replace(
                verdicts["destination_loses"], reason="only the source's is completed"
            )
        for name in ("destination_loses", "wins", "loses"):
            verdicts[f"{name}_as_chosen"] = replace(verdicts[name], reason="as you chose")
        room = ("destination_loses", "destination_loses_as_chosen")
        ordered = [*room, *(name for name in verdicts if name not in room)]
        return with_origin({name: verdicts[name] for name in ordered}, MOVING, case.source.pk)

    def current_after(self, case: Case) -> tuple[str, tuple[Any, ...]]:
        """SQL and parameters of those that are the destination's current ones once the merge is done."""
        sql, params = self.sort(case)
        arriving = tuple(name for verdict in ARRIVALS for name in (verdict, f"{verdict}_again"))
        kept = f"verdict IS NULL AND is_alive AND user_id = {case.destination.pk:d}"
        return f"SELECT * FROM ({sql}) s WHERE verdict IN {arriving} OR {kept}", params  # noqa: S608 - our own words

    def watches(self, case: Case) -> Iterable[Watched]:
        both = (case.source.pk, case.destination.pk)
        enrollments = "SELECT id FROM learning_records_enrollment WHERE user_id IN (%s, %s)"
        yield Watched(MaterialTracking, f"t.enrollment_id IN ({enrollments})", both)

    def choices(self, case: Case) -> list[ChoiceRow]:
        return shared_courses.choice_rows(case, self)

    def check_choices(self, case: Case) -> Iterable[dict[str, str]]:
        return shared_courses.wrong_courses(case)

    def warnings(self, case: Case) -> Iterable[Notice]:
        return shared_courses.earlier_ends(case, self)

    def describe(self, row: Any) -> tuple[str, dict[str, Any]]:
        return str(row.course), {
            "id": row.pk,
            "course": row.course_id,
            "status": row.status,
            "score": row.score,
            "progress": row.progress,
            "completed_at": row.completed_at,
            "expires_at": row.expires_at,
            "voided_at": row.voided_at,
            "historical": row.is_historical,
        }


def _overruled(case: Case) -> Mapping[int, str]:
    """The courses that the person decided. With enrollments off the order alone decides."""
    return case.choices.courses if case.merges_enrollments else {}


def _chosen_first(case: Case) -> Iterator[OrderBy]:
    courses = _overruled(case)
    if courses:
        owners = {"source": case.source.pk, "destination": case.destination.pk}
        whens = [
            When(user=owner, course__in=[course for course, chosen in courses.items() if chosen == side], then=0)
            for side, owner in owners.items()
            if side in courses.values()
        ]
        yield Switch(*whens, default=1, output_field=IntegerField()).asc()


def _as_chosen(case: Case, cases: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The cases, with one more for each contest that the person decided."""
    chosen = ", ".join(f"{course:d}" for course in _overruled(case))
    for condition, verdict in cases:
        if chosen and verdict in ("wins", "loses", "destination_loses"):
            yield f"{condition} AND course_id IN ({chosen})", f"{verdict}_as_chosen"
        yield condition, verdict


def _settled_only(case: Case) -> Iterator[tuple[str, str]]:
    """With enrollments off only the source's winners of shared courses move."""
    source = f"user_id = {case.source.pk:d}"
    yield f"{source} AND NOT is_alive", "history_stays"
    yield f"{source} AND size = 1", "alone_stays"
    yield f"{source} AND place = 1", "wins"
    yield source, "loser_stays"
    yield "is_alive AND place > 1", "destination_loses"


def _left_behind(source_id: int) -> dict[str, Verdict]:
    return {
        "history_stays": stays(source_id, "enrollments aren't merged; history stays"),
        "alone_stays": stays(source_id, "enrollments aren't merged, and the destination isn't in this course"),
        "loser_stays": stays(source_id, "enrollments aren't merged, and the destination's record is at least as good"),
    }
