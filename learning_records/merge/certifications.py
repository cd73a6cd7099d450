"""Certifications: those from external training move, those from courses are computed anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from datetime import datetime
from itertools import groupby
from typing import Any

from django.db import connection
from django.db.models import F, Q, QuerySet

from learning_records.certification_rules import Act, decide
from learning_records.merge.enrollments import EnrollmentHandler
from learning_records.models import Certification, CertificationAward
from merging.handlers import Case, Change, Claim, Move, Outcome, Verdict, register, stays
from merging.twins import TwinHandler


@register
class CertificationHandler(TwinHandler):
    """Of two active awards the one that expires later stays active. Then the courses that the merge brings count."""

    key = section = "certifications"
    claims = (Claim(CertificationAward, "user"),)
    related = ("certification",)
    things = ("certification",)
    live = Q(is_active=True)
    keeps = {"is_active": True}
    loses = {"is_active": False}
    order = (F("expires_at").desc(nulls_first=True),)
    columns = ("source",)
    noun = "award"
    only_moves = False  # courses may earn the destination some

    def alive(self, case: Case) -> Q:
        return self.live & ~Q(user=case.source.pk, source=CertificationAward.Source.COURSE)

    def cases(self, case: Case) -> Iterator[tuple[str, str]]:
        yield f"user_id = {case.source.pk:d} AND source = 'course'", "recomputed"
        yield from super().cases(case)

    def classes(self, case: Case) -> Mapping[str, Verdict]:
        reason = "certifications from courses don't move; the destination's are computed from its courses"
        return {**super().classes(case), "recomputed": stays(case.source.pk, reason)}

    def plan(self, case: Case) -> Iterator[Change | Move]:
        yield from super().plan(case)
        if case.merges_enrollments:
            yield from self.earned(case)

    def earned(self, case: Case) -> Iterator[Change]:
        """What the completions that become current on the destination do to its certifications."""
        completions = _completions(case)
        if not completions:
            return
        certifications = Certification.objects.in_bulk({certification for certification, _ in completions})
        held = {award.certification_id: award for award in self.held_after_moves(case, certifications)}
        for pk, group in groupby(completions, lambda pair: pair[0]):
            certification = certifications[pk]
            after = before = held.get(pk)
            for _, completed_at in group:
                after = _count(certification, after, completed_at)
            if after is not None:
                yield from _changes(case, certification, before, after)

    def held_after_moves(self, case: Case, certifications: Any) -> QuerySet[CertificationAward]:
        """The active awards of the destination as the move leaves them."""
        rows = self.ranked(case).filter(self.alive(case), certification__in=list(certifications))
        winners: QuerySet[CertificationAward] = rows.filter(place=1)
        return winners

    def describe(self, row: Any) -> tuple[str, dict[str, Any]]:
        return str(row.certification), {
            "id": row.pk,
            "certification": row.certification_id,
            "source": row.source,
            "issued_at": row.issued_at,
            "renewed_at": row.renewed_at,
            "expires_at": row.expires_at,
            "active": row.is_active,
        }


CERTIFYING = """
    SELECT 1 FROM learning_records_enrollment e JOIN learning_records_certificationcourse cc USING (course_id)
    WHERE e.user_id = %s AND e.status = 'completed' AND e.voided_at IS NULL AND NOT e.is_historical LIMIT 1
"""


def _completions(case: Case) -> list[tuple[int, datetime]]:
    """(certification, completion date) of each course whose completed record of the source becomes current."""
    if not _fetch(CERTIFYING, [case.source.pk]):  # the common case, without the ranking
        return []
    current, params = EnrollmentHandler().current_after(case)
    statement = f"""
        SELECT cc.certification_id, c.completed_at
        FROM ({current}) c JOIN learning_records_certificationcourse cc ON cc.course_id = c.course_id
        WHERE c.user_id = %s AND c.status = 'completed' AND c.voided_at IS NULL ORDER BY 1, 2
    """  # noqa: S608 - composed of our own SQL
    return _fetch(statement, [*params, case.source.pk])


def _fetch(sql: str, params: Sequence[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        found: list[Any] = cursor.fetchall()
    return found


def _count(certification: Certification, held: CertificationAward | None, completed_at: datetime) -> CertificationAward:
    """The award after one completion, by its own date alone: added, renewed, or left as it was."""
    decision = decide(certification, held, completed_at)
    if held is None or decision.act is Act.ADD:
        return CertificationAward(issued_at=completed_at, expires_at=decision.expires_at)
    if decision.act is Act.RENEW and decision.expires_at != held.expires_at:
        renewed = copy(held)
        renewed.renewed_at, renewed.expires_at = completed_at, decision.expires_at
        return renewed
    return held


def _changes(
    case: Case, certification: Certification, before: CertificationAward | None, after: CertificationAward
) -> Iterator[Change]:
    if after is before:
        return
    if before is not None and after.pk == before.pk:
        reason = "renewed by a course that the merge brings"
        yield _change(certification, before, _dates(before), _dates(after), Outcome.CHANGED, reason)
        return
    if before is not None:
        reason = "it had expired before the course was completed again"
        yield _change(certification, before, {"is_active": True}, {"is_active": False}, Outcome.SUPERSEDED, reason)
    row = {
        "user_id": case.destination.pk,
        "certification_id": certification.pk,
        "source": CertificationAward.Source.COURSE.value,
        "external_training_id": None,
        "issued_at": after.issued_at,
        "is_active": True,
        **_dates(after),
    }
    yield _change(certification, after, None, row, Outcome.ADDED, "earned by a course that the merge brings")


def _dates(award: CertificationAward) -> dict[str, Any]:
    return {"renewed_at": award.renewed_at, "expires_at": award.expires_at}


def _change(
    certification: Certification,
    award: CertificationAward,
    before: dict[str, Any] | None,
    after: dict[str, Any],
    outcome: Outcome,
    reason: str,
) -> Change:
    detail = {"certification": certification.pk, "issued_at": award.issued_at, **_dates(award), **after}
    return Change(CertificationAward, award.pk, before, after, outcome, reason, certification.title, detail)
