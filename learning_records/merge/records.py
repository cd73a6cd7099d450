"""Learning records: all are evidence, so all move. Only a person can't be equivalent to themselves."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Case as Switch
from django.db.models import CharField, Exists, OuterRef, Q, Value, When

from learning_records.models import LearningRecord
from merging.handlers import Case, Change, Claim, MergeHandler, Move, Outcome, Verdict, moves, register


@register
class LearningRecordHandler(MergeHandler):
    """Records move. Equivalencies between the two accounts, and second ones of one record, are superseded."""

    key = section = "learning_records"
    claims = (Claim(LearningRecord, "user"),)
    related = ("course",)

    def plan(self, case: Case) -> Iterator[Change | Move]:
        s, d = case.source.pk, case.destination.pk
        to_themselves = "nobody is equivalent to themselves"
        listed, superseded = {"is_superseded": False}, {"is_superseded": True}
        yield Move(
            _sorted(s, d),
            {
                "own": Verdict(
                    Outcome.SUPERSEDED, to_themselves, {"user_id": d, **listed}, {"user_id": d, **superseded}
                ),
                "moves": moves(s, d, reason="it is evidence"),
                "between": Verdict(
                    Outcome.SUPERSEDED, to_themselves, {"user_id": s, **listed}, {"user_id": d, **superseded}
                ),
                "twice": Verdict(
                    Outcome.SUPERSEDED,
                    "the destination has an equivalency of the same record",
                    {"user_id": s, **listed},
                    {"user_id": d, **superseded},
                ),
            },
        )

    def describe(self, row: Any) -> tuple[str, dict[str, Any]]:
        return row.title or str(row.course), {
            "id": row.pk,
            "kind": row.kind,
            "course": row.course_id,
            "origin": row.origin,
            "completed_at": row.completed_at,
            "expires_at": row.expires_at,
            "score": row.score,
            "voided_at": row.voided_at,
        }


def _sorted(source: int, destination: int) -> Any:
    """The source's records, and the destination's equivalencies of these."""
    listed = LearningRecord.objects.listed()
    same = listed.filter(user=destination, equivalent_of=OuterRef("equivalent_of"))
    own = Q(user=destination, is_superseded=False, equivalent_of__user=source)
    second = Q(is_superseded=False, equivalent_of__isnull=False)
    return LearningRecord.objects.filter(Q(user=source) | own).annotate(
        verdict=Switch(
            When(user=destination, then=Value("own")),
            When(is_superseded=False, equivalent_of__user=destination, then=Value("between")),
            When(second & Exists(same), then=Value("twice")),
            default=Value("moves"),
            output_field=CharField(),
        )
    )
