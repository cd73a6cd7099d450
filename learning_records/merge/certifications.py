"""Certifications: those from external training move, those from courses are computed anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from django.db.models import F, Q, QuerySet

from learning_records.merge.enrollments import COMPLETED, EnrollmentHandler
from learning_records.models import Certification, CertificationAward
from merging.handlers import Case, Change, Claim, Move, Outcome, TwinHandler, register, stays


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
    noun = "award"

    def alive(self, case: Case) -> Q:
        return self.live & ~_recomputed(case)

    def cases(self, case: Case) -> Iterator[tuple[Q, str]]:
        yield _recomputed(case), "recomputed"
        yield from super().cases(case)

    def plan(self, case: Case) -> Iterator[Change | Move]:
        reason = "certifications from courses don't move; the destination's are computed from its courses"
        yield Move(self.sort(case), {**self.classes(case), "recomputed": stays(case.source.pk, reason)})
        if case.merges_enrollments:
            yield from self.earned(case)

    def earned(self, case: Case) -> Iterator[Change]:
        """What the completions that become current on the destination do to its certifications."""
        completions = _completions(case)
        certifications = Certification.objects.in_bulk({certification for certification, _ in completions})
        held = {award.certification_id: award for award in self.held_after_moves(case, certifications)}
        for pk, group in groupby(completions, lambda pair: pair[0]):
            certification = certifications[pk]
            before = _Award.of(held[pk]) if pk in held else None
            after = before
            for _, completed_at in group:
                after = _count(certification, after, completed_at)
            if after != before and after is not None:
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


def _recomputed(case: Case) -> Q:
    return Q(user=case.source.pk, source=CertificationAward.Source.COURSE)


def _completions(case: Case) -> list[tuple[int, datetime]]:
    """(certification, completion date) of each course whose completed record of the source becomes current."""
    rows = EnrollmentHandler().current_after(case).filter(COMPLETED, user=case.source.pk)
    pairs = rows.filter(course__certifications__isnull=False).values_list("course__certifications", "completed_at")
    return sorted((pk, completed_at) for pk, completed_at in pairs if completed_at is not None)


@dataclass(frozen=True)
class _Award:
    """An award as it is, or, without a pk, as it would be added."""

    pk: int | None
    issued_at: datetime
    renewed_at: datetime | None
    expires_at: datetime | None

    @classmethod
    def of(cls, row: CertificationAward) -> _Award:
        return cls(row.pk, row.issued_at, row.renewed_at, row.expires_at)

    def dates(self) -> dict[str, datetime | None]:
        return {"renewed_at": self.renewed_at, "expires_at": self.expires_at}


def _count(certification: Certification, held: _Award | None, completed_at: datetime) -> _Award:
    """The award after one completion, by its own date alone: added, renewed, replaced, or left as it was."""
    days = certification.validity_days
    expires_at = None if days is None else completed_at + timedelta(days=days)
    added = _Award(None, completed_at, None, expires_at)
    if held is None:
        return added
    if held.expires_at is None or completed_at < held.expires_at - timedelta(days=certification.renewal_window_days):
        return held
    if completed_at >= held.expires_at and not certification.late_renewal:
        return added
    if expires_at is None or expires_at > held.expires_at:
        return replace(held, renewed_at=completed_at, expires_at=expires_at)
    return held


def _changes(case: Case, certification: Certification, before: _Award | None, after: _Award) -> Iterator[Change]:
    detail = {"certification": certification.pk, "issued_at": after.issued_at, **after.dates()}
    if before is not None and after.pk == before.pk:
        reason = "renewed by a course that the merge brings"
        old, new = before.dates(), after.dates()
        yield Change(CertificationAward, before.pk, old, new, Outcome.CHANGED, reason, certification.title, detail)
        return
    if before is not None:
        active, inactive = {"is_active": True}, {"is_active": False}
        reason = "it had expired before the course was completed again"
        facts = {"id": before.pk, "certification": certification.pk, "expires_at": before.expires_at}
        yield Change(
            CertificationAward, before.pk, active, inactive, Outcome.SUPERSEDED, reason, certification.title, facts
        )
    row = {
        "user_id": case.destination.pk,
        "certification_id": certification.pk,
        "source": CertificationAward.Source.COURSE.value,
        "external_training_id": None,
        "issued_at": after.issued_at,
        "is_active": True,
        **after.dates(),
    }
    reason = "earned by a course that the merge brings"
    yield Change(CertificationAward, None, None, row, Outcome.ADDED, reason, certification.title, detail)
