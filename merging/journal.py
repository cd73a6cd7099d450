"""The only code that writes other apps' tables: it stores the steps of a plan, plays them, and plays them backwards.

Both ways are the same statements with `before` and `after` exchanged. Each touches a row only where it still holds the
expected values, and all its rows or none: when it misses one, StepMissed calls it off, and the transaction rolls back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models import Model

from merging.handlers import Change, Move
from merging.models import JournalEntry, Merge
from merging.plan import Step, Tallies, as_plain, compiled, tallied
from merging.sight import fetch

CHUNK = 50_000
Kind = JournalEntry.Kind

NOTHING = "SELECT 0, '', ARRAY[]::bigint[] WHERE FALSE"
WRITE = f"""
    INSERT INTO merging_journalentry
        (merge_id, position, chunk, section, model, kind, outcome, reason, before, after, ids, what, detail)
    SELECT %s, v.position, c, v.section, v.model, v.kind, v.outcome, v.reason, v.before, v.after,
           q.ids[c * {CHUNK} + 1:(c + 1) * {CHUNK}], '', '{{{{}}}}'::jsonb
    FROM ({{moved}}) q(step, verdict, ids)
    JOIN jsonb_to_recordset(%s::jsonb) AS v(step int, name text, position int, section text, model text, kind text,
         outcome text, reason text, before jsonb, after jsonb) ON v.step = q.step AND v.name = q.verdict
    CROSS JOIN LATERAL generate_series(0, (cardinality(q.ids) - 1) / {CHUNK}) c
    UNION ALL
    SELECT %s, position, 0, section, model, kind, outcome, reason, before, after,
           ARRAY[coalesce(pk, nextval(pg_get_serial_sequence(format('%%I', tbl), 'id')))], what, detail
    FROM jsonb_to_recordset(%s::jsonb) AS c(position int, section text, model text, kind text, outcome text,
         reason text, pk bigint, tbl text, before jsonb, after jsonb, what text, detail jsonb)
    RETURNING position, cardinality(ids)
"""


class StepMissed(Exception):
    """A step met a row that doesn't hold any more what it expected."""


def outdated(merge: Merge) -> list[str]:
    """Models, and columns of models, that the journal names and the portal doesn't have any more. In order."""
    named = fetch(
        """SELECT DISTINCT model, key FROM merging_journalentry e
           CROSS JOIN LATERAL jsonb_object_keys(coalesce(e.before, '{}') || coalesce(e.after, '{}')) key
           WHERE merge_id = %s AND kind <> 'stay' ORDER BY 1, 2""",
        [merge.pk],
    )
    return list(dict.fromkeys(lost for model, column in named if (lost := _lost(model, column))))


def _lost(label: str, column: str) -> str:
    """What of it is gone; empty when all is there."""
    try:
        model = apps.get_model(label)
    except (LookupError, ValueError):
        return label
    known = {field.column for field in model._meta.local_concrete_fields}
    return "" if column in known else f"{label}.{column}"


def write(merge_id: int, steps: Sequence[Step]) -> Tallies:
    """Store every step by one statement: moves with the ids of their rows as they are now, rows to add with new ids.

    The ids never leave the database; what is returned is how many rows of each verdict there are. The merge of that id
    may be stored later in the transaction.
    """
    moves = [(step, step.action) for step in steps if isinstance(step.action, Move)]
    changes = [_change_row(step, step.action) for step in steps if isinstance(step.action, Change)]
    parts, params = [NOTHING], []
    for step, move in moves:
        sql, values = compiled(move.rows)
        parts.append(
            f"SELECT {step.position}, verdict, array_agg(pk ORDER BY pk) FROM ({sql}) r"
            " WHERE verdict IS NOT NULL GROUP BY verdict"
        )
        params += values
    verdicts = [fact for step, move in moves for fact in _verdict_rows(step, move)]
    names = {fact["position"]: (fact["step"], fact["name"]) for fact in verdicts}
    statement = WRITE.format(moved=" UNION ALL ".join(parts))
    found = fetch(statement, [merge_id, *params, json.dumps(verdicts), merge_id, json.dumps(changes)])
    return tallied(moves, ((*names[position], rows) for position, rows in found if position in names))


def _verdict_rows(step: Step, move: Move) -> Iterator[dict[str, Any]]:
    for place, (name, verdict) in enumerate(move.verdicts.items()):
        yield {
            "step": step.position,
            "name": name,
            "position": step.position + place,
            "section": step.section,
            "model": move.rows.model._meta.label,
            "kind": Kind.STAY if verdict.before == verdict.after else Kind.MOVE,
            "outcome": verdict.outcome,
            "reason": verdict.reason,
            "before": as_plain(verdict.before),
            "after": as_plain(verdict.after),
        }


def _change_row(step: Step, change: Change) -> dict[str, Any]:
    kind = Kind.ADD if change.before is None else Kind.STAY if change.before == change.after else Kind.CHANGE
    return {
        "position": step.position,
        "section": step.section,
        "model": change.model._meta.label,
        "kind": kind,
        "outcome": change.outcome,
        "reason": change.reason,
        "pk": change.pk,
        "tbl": change.model._meta.db_table,
        "before": as_plain(change.before),
        "after": as_plain(change.after),
        "what": change.what[:300],
        "detail": as_plain(change.detail),
    }


def forget(merge_id: int) -> None:
    """Take back what was written, for a merge that isn't carried out now."""
    _run("DELETE FROM merging_journalentry WHERE merge_id = %s", [merge_id])


@dataclass(frozen=True)
class _Stage:
    """Neighbouring steps that one statement can play: moves that do the same, or changes of the same columns."""

    merge_id: int
    first: int
    last: int
    model: str
    kind: str
    before: dict[str, Any] | None
    after: dict[str, Any]
    rows: int

    @property
    def table(self) -> str:
        model: type[Model] = apps.get_model(self.model)
        return model._meta.db_table

    def columns(self) -> list[str]:
        """The columns that differ, or all of an added row."""
        changed = (
            name for name, value in self.after.items() if self.before is None or self.before.get(name, ...) != value
        )
        names = self.after if self.kind != Kind.MOVE else changed
        return sorted(names)


def play(merge: Merge) -> None:
    """Do what the journal says. Raises StepMissed."""
    for stage in _stages(merge):
        _add(stage) if stage.kind == Kind.ADD else _set(stage, "before", "after")


def rewind(merge: Merge) -> None:
    """Do the contrary, last step first. Raises StepMissed."""
    for stage in reversed(_stages(merge)):
        _take_back(stage)


def changed_rows(merge: Merge) -> list[dict[str, Any]]:
    """The rows, as model and id, that a rewind would miss at its first step that misses any.

    It rewinds as far as there; what it did is the caller's to roll back.
    """
    for stage in reversed(_stages(merge)):
        missed = fetch(_unlike(stage, "after"))
        if missed:
            return [{"model": stage.model, "id": pk} for (pk,) in missed]
        _take_back(stage)
    return []


def _stages(merge: Merge) -> list[_Stage]:
    entries = fetch(
        """SELECT position, model, kind, before, after,
                  (SELECT sum(cardinality(c.ids)) FROM merging_journalentry c
                   WHERE c.merge_id = e.merge_id AND c.position = e.position)
           FROM merging_journalentry e WHERE merge_id = %s AND kind <> 'stay' AND chunk = 0 ORDER BY position""",
        [merge.pk],
    )
    singles = [
        _Stage(merge.pk, place, place, model, kind, _json(before), _json(after) or {}, int(rows))
        for place, model, kind, before, after, rows in entries
    ]
    writing = [stage for stage in singles if stage.columns()]  # a removed column may have been all that changed
    return [_joined(list(group)) for _, group in groupby(writing, _alike)]


def _joined(stages: list[_Stage]) -> _Stage:
    return replace(stages[0], last=stages[-1].last, rows=sum(stage.rows for stage in stages))


def _alike(stage: _Stage) -> tuple[Any, ...]:
    """Moves go together when they do the same, changes and additions when they touch the same columns."""
    same = (stage.before, stage.after) if stage.kind == Kind.MOVE else sorted(stage.after)
    return stage.model, stage.kind, same


def _take_back(stage: _Stage) -> None:
    if stage.kind == Kind.ADD:
        _touch_all(stage, f'DELETE FROM "{stage.table}" t USING ({_rows(stage)}) j WHERE {_holds(stage, "after")}')
    else:
        _set(stage, "after", "before")


def _set(stage: _Stage, old: str, new: str) -> None:
    """Bring the stage's rows from their `old` values to their `new` ones, where they still hold the old."""
    if stage.kind == Kind.MOVE:
        _set_alike(stage, old, new)
        return
    assign = ", ".join(f'"{c}" = (j.{new})."{c}"' for c in stage.columns())
    _touch_all(stage, f'UPDATE "{stage.table}" t SET {assign} FROM ({_rows(stage)}) j WHERE {_holds(stage, old)}')


def _set_alike(stage: _Stage, old: str, new: str) -> None:
    """As _set, where all rows have the same values, and are met in the order of their ids.

    A join would copy the values to every row, and a planner that doesn't know how many there are may choose a bad one.
    """
    ids = f"ARRAY(SELECT unnest(ids) FROM merging_journalentry WHERE {_mine(stage)} ORDER BY position, chunk)"
    assign = ", ".join(f'"{c}" = %s' for c in stage.columns())
    expect = "".join(f' AND t."{c}" IS NOT DISTINCT FROM %s' for c in stage.columns())
    sides: dict[str, dict[str, Any]] = {"before": stage.before or {}, "after": stage.after}
    values = [sides[which][c] for which in (new, old) for c in stage.columns()]
    _touch_all(stage, f'UPDATE "{stage.table}" t SET {assign} WHERE t.id = ANY({ids}){expect}', values)


def _add(stage: _Stage) -> None:
    columns = stage.columns()
    names = ", ".join(f'"{c}"' for c in columns)
    values = ", ".join(f'(j.after)."{c}"' for c in columns)
    _run(f'INSERT INTO "{stage.table}" (id, {names}) SELECT j.pk, {values} FROM ({_rows(stage)}) j')


def _touch_all(stage: _Stage, statement: str, values: Sequence[Any] = ()) -> None:
    if _run(statement, values) != stage.rows:
        raise StepMissed


def _unlike(stage: _Stage, which: str) -> str:
    """The statement that finds rows of the stage which don't hold these values."""
    return f"""SELECT j.pk FROM ({_rows(stage)}) j
        WHERE NOT EXISTS (SELECT FROM "{stage.table}" t WHERE {_holds(stage, which)}) ORDER BY 1 LIMIT 100"""


def _holds(stage: _Stage, which: str) -> str:
    """The condition that row `t` is the one of `j`, and holds its values of before or after."""
    same = (f't."{c}" IS NOT DISTINCT FROM (j.{which})."{c}"' for c in stage.columns())
    return " AND ".join(["t.id = j.pk", *same])


def _rows(stage: _Stage) -> str:
    """The stage's row ids, each with the values before and after as typed records."""
    values = ", ".join(
        f'jsonb_populate_record(NULL::"{stage.table}", {which}) AS {which}' for which in ("before", "after")
    )
    return f"SELECT unnest(ids) AS pk, {values} FROM merging_journalentry WHERE {_mine(stage)}"


def _mine(stage: _Stage) -> str:
    """The condition that a journal entry is of the stage."""
    places = f"position BETWEEN {stage.first:d} AND {stage.last:d}"
    return f"merge_id = {stage.merge_id:d} AND {places} AND kind = '{stage.kind}'"


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _run(sql: str, params: Sequence[Any] = ()) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return int(cursor.rowcount)
