"""Learning records: all are evidence, so all move. Only a person can't be equivalent to themselves."""

from collections.abc import Iterable, Iterator
from typing import Any

from learning_records.merge.provenance import told_apart, with_origin
from learning_records.models import LearningRecord
from merging.handlers import Case, Change, Claim, MergeHandler, Move, Outcome, Sorted, Verdict, exempt, moves, register

MOVING = ("moves", "between", "twice")
exempt("learning_records.LearningRecord", "merged_from", "it tells who received the record, for good")


@register
class LearningRecordHandler(MergeHandler):
    """Records move. Equivalencies between the two accounts, and second ones of one record, are superseded."""

    key = section = "learning_records"
    claims = (Claim(LearningRecord, "user"),)
    related = ("course",)

    def plan(self, case: Case) -> Iterator[Change | Move]:
        yield Move(Sorted(LearningRecord, _sorted(case)), with_origin(_verdicts(case), MOVING, case.source.pk))

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


def _sorted(case: Case) -> str:
    """The source's records, and the destination's equivalencies of these, each with its verdict."""
    source, destination = case.source.pk, case.destination.pk
    held = f"""SELECT equivalent_of_id FROM learning_records_learningrecord
        WHERE user_id = {destination:d} AND equivalent_of_id IS NOT NULL AND NOT is_superseded"""  # noqa: S608
    # looked up for equivalencies alone, which are few; a join would hash the whole table
    owner = "(SELECT o.user_id FROM learning_records_learningrecord o WHERE o.id = r.equivalent_of_id)"
    listed = "NOT r.is_superseded AND r.equivalent_of_id IS NOT NULL"
    cases = (
        (f"r.user_id = {destination:d}", "own"),
        (f"{listed} AND {owner} = {destination:d}", "between"),
        (f"{listed} AND r.equivalent_of_id IN ({held})", "twice"),
        ("TRUE", "moves"),
    )
    whens = " ".join(f"WHEN {condition} THEN '{verdict}'" for condition, verdict in _told_apart(cases))
    return f"""
        SELECT r.id, CASE {whens} END FROM learning_records_learningrecord r
        WHERE r.user_id = {source:d}
           OR r.user_id = {destination:d} AND {listed} AND {owner} = {source:d}
    """  # noqa: S608 - numbers and our own words


def _told_apart(cases: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    return ((c.replace("merged_from_id", "r.merged_from_id"), v) for c, v in told_apart(cases, MOVING))
