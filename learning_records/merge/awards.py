"""Certificates, competencies and external training."""

from collections.abc import Iterator
from typing import Any

from django.db.models import F, Q

from learning_records.models import Certificate, CompetencyAward, ExternalTraining
from merging.handlers import Case, Change, Claim, MergeHandler, Move, register, stays
from merging.twins import TwinHandler


@register
class CertificateHandler(TwinHandler):
    """The highest score stays in force; the other is superseded. Goes with the enrollments."""

    key = section = "certificates"
    claims = (Claim(Certificate, "user"),)
    related = ("course",)
    things = ("course",)
    live = Q(is_superseded=False)
    keeps = {"is_superseded": False}
    loses = {"is_superseded": True}
    order = (F("score").desc(nulls_last=True), F("expires_at").desc(nulls_first=True), F("issued_at").asc())
    noun = "certificate"

    def plan(self, case: Case) -> Iterator[Change | Move]:
        if case.merges_enrollments:
            yield from super().plan(case)
        else:
            yield self.move_all(case, self.claims[0], stays(case.source.pk, "certificates go with the enrollments"))

    def describe(self, row: Any) -> tuple[str, dict[str, Any]]:
        return f"{row.course}, certificate {row.number}", {
            "id": row.pk,
            "course": row.course_id,
            "number": row.number,
            "score": row.score,
            "issued_at": row.issued_at,
            "expires_at": row.expires_at,
            "superseded": row.is_superseded,
        }


@register
class CompetencyHandler(TwinHandler):
    """The higher level counts; the other is superseded."""

    key = section = "competencies"
    claims = (Claim(CompetencyAward, "user"),)
    things = ("competency",)
    live = Q(is_superseded=False)
    keeps = {"is_superseded": False}
    loses = {"is_superseded": True}
    order = (F("level").desc(),)
    noun = "level"

    def describe(self, row: Any) -> tuple[str, dict[str, Any]]:
        return f"{row.competency}, level {row.level}", {
            "id": row.pk,
            "competency": row.competency,
            "level": row.level,
            "awarded_at": row.awarded_at,
            "superseded": row.is_superseded,
        }


@register
class ExternalTrainingHandler(MergeHandler):
    """Always moves; no switch exists."""

    key = section = "external_trainings"
    claims = (Claim(ExternalTraining, "user"),)

    def describe(self, row: Any) -> tuple[str, dict[str, Any]]:
        return row.title, {
            "id": row.pk,
            "provider": row.provider,
            "completed_at": row.completed_at,
            "certification": row.certification_id,
            "expires_at": row.expires_at,
        }
