"""Learning records: all are evidence, so all move. Only a person can't be equivalent to themselves."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Case as Switch
from django.db.models import CharField, Exists, OuterRef, Q, QuerySet, Value, When

from learning_records.merge.provenance import told_apart, with_origin
from learning_records.models import LearningRecord
from merging.handlers import Case, Change, Claim, MergeHandler, Move, Outcome, Verdict, exempt, moves, register

MOVING = ("moves", "between", "twice")
exempt("learning_records.LearningRecord", "merged_from", "it tells who received the record, for good")


@register
class LearningRecordHandler(MergeHandler):
    """Records move. Equivalencies between the two accounts, and second ones of one record, are superseded."""

    key = section = "learning_records"
    claims = (Claim(LearningRecord, "user"),)
    related = ("course",)

    def plan(self, case: Case) -> Iterator[Change | Move]:
        yield Move(_sorted(case), with_origin(_verdicts(case), MOVING, case.source.pk))

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


def _verdicts(case: Case) -> dict[str, Verdict]:
    s, d = case.source.pk, case.destination.pk
    listed, superseded = {"is_superseded": False}, {"is_superseded": True}
    before, after = {"user_id": s, **listed}, {"user_id": d, **superseded}
    to_themselves, twice = "nobody is equivalent to themselves", "the destination has an equivalency of the same record"
    return {
        "own": Verdict(Outcome.SUPERSEDED, to_themselves, {"user_id": d, **listed}, after),
        "moves": moves(s, d, reason="it is evidence"),
        "between": Verdict(Outcome.SUPERSEDED, to_themselves, before, after),
        "twice": Verdict(Outcome.SUPERSEDED, twice, before, after),
    }


def _sorted(case: Case) -> QuerySet[LearningRecord]:
    """The source's records, and the destination's equivalencies of these, each with its verdict."""
    source, destination = case.source.pk, case.destination.pk
    own = Q(user=destination, is_superseded=False, equivalent_of__user=source)
    same = LearningRecord.objects.listed().filter(user=destination, equivalent_of=OuterRef("equivalent_of"))
    cases = (
        (Q(user=destination), "own"),
        (Q(is_superseded=False, equivalent_of__user=destination), "between"),
        (Q(Exists(same), is_superseded=False, equivalent_of__isnull=False), "twice"),
        (Q(user=source), "moves"),
    )
    whens = [When(condition, then=Value(verdict)) for condition, verdict in told_apart(cases, MOVING)]
    rows = LearningRecord.objects.filter(Q(user=source) | own)
    return rows.annotate(verdict=Switch(*whens, default=None, output_field=CharField()))
