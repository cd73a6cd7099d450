"""The only code that writes other apps' tables: it stores the steps of a plan, plays them, and plays them backwards.

Both ways are the same statements with `before` and `after` exchanged. Each touches a row only where it still holds the
expected values; when it misses one, RowsHaveChanged names it and the transaction rolls back.
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

from merging.errors import RowsHaveChanged
from merging.handlers import Change, Move
from merging.models import JournalEntry, Merge
from merging.plan import Plan, Step, as_plain, compiled

CHUNK = 50_000
Kind = JournalEntry.Kind


def write(merge: Merge, plan: Plan) -> None:
    """Store every step, with the ids of its rows as they are now. Ids of moved rows never leave the database."""
    position = 0
    changes: list[dict[str, Any]] = []
    for step in plan.steps:
        if isinstance(step.action, Change):
            changes.append(_change_row(step, step.action, position))
            position += 1
        elif step.tally:
            _write_move(merge, step, step.action, position)
            position += len(step.action.verdicts)
    if changes:
        _write_changes(merge, changes)


def _write_move(merge: Merge, step: Step, move: Move, position: int) -> None:
    sql, params = compiled(move.rows)
    verdicts = [
        {
            "name": name,
            "position": position + place,
            "kind": Kind.STAY if verdict.before == verdict.after else Kind.MOVE,
            "outcome": verdict.outcome,
            "reason": verdict.reason,
            "before": as_plain(verdict.before),
            "after": as_plain(verdict.after),
        }
        for place, (name, verdict) in enumerate(move.verdicts.items())
    ]
    chunk = "0"
    if max(step.tally.values()) > CHUNK:
        chunk = f"(row_number() OVER (PARTITION BY verdict ORDER BY pk) - 1) / {CHUNK}"
    statement = f"""
        INSERT INTO merging_journalentry
            (merge_id, position, chunk, section, model, kind, outcome, reason, before, after, ids, what, detail)
        SELECT %s, v.position, q.chunk, %s, %s, v.kind, v.outcome, v.reason, v.before, v.after, q.ids, '', '{{}}'
        FROM (SELECT verdict, chunk, array_agg(pk ORDER BY pk) AS ids
              FROM (SELECT pk, verdict, {chunk} AS chunk FROM ({sql}) r WHERE verdict IS NOT NULL) c
              GROUP BY verdict, chunk) q
        JOIN jsonb_to_recordset(%s::jsonb) AS v(name text, position int, kind text, outcome text, reason text,
                                                before jsonb, after jsonb) ON v.name = q.verdict
    """
    _run(statement, [merge.pk, step.section, _label(move.rows.model), *params, json.dumps(verdicts)])


def _change_row(step: Step, change: Change, position: int) -> dict[str, Any]:
    kind = Kind.ADD if change.before is None else Kind.STAY if change.before == change.after else Kind.CHANGE
    return {
        "position": position,
        "section": step.section,
        "model": _label(change.model),
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


def _write_changes(merge: Merge, changes: list[dict[str, Any]]) -> None:
    """Store all decided rows at once; rows to add get their ids here."""
    statement = """
        INSERT INTO merging_journalentry
            (merge_id, position, chunk, section, model, kind, outcome, reason, before, after, ids, what, detail)
        SELECT %s, position, 0, section, model, kind, outcome, reason, before, after,
               ARRAY[coalesce(pk, nextval(pg_get_serial_sequence(format('%%I', tbl), 'id')))], what, detail
        FROM jsonb_to_recordset(%s::jsonb) AS c(position int, section text, model text, kind text, outcome text,
             reason text, pk bigint, tbl text, before jsonb, after jsonb, what text, detail jsonb)
        ORDER BY position
    """
    _run(statement, [merge.pk, json.dumps(changes)])


@dataclass(frozen=True)
class _Stage:
    """Neighbouring steps that one statement can play: a move, or changes of the same columns of one table."""

    merge_id: int
    first: int
    last: int
    model: str
    kind: str
    before: dict[str, Any] | None
    after: dict[str, Any]

    @property
    def table(self) -> str:
        return _model(self.model)._meta.db_table

    def columns(self) -> list[str]:
        """The columns that differ, or all of an added row."""
        changed = (
            name for name, value in self.after.items() if self.before is None or self.before.get(name, ...) != value
        )
        names = self.after if self.kind != Kind.MOVE else changed
        return sorted(names)


def play(merge: Merge) -> None:
    """Do what the journal says."""
    for stage in _stages(merge):
        _add(stage) if stage.kind == Kind.ADD else _set(stage, "before", "after")


def rewind(merge: Merge) -> None:
    """Do the contrary, last step first."""
    for stage in reversed(list(_stages(merge))):
        _take_back(stage) if stage.kind == Kind.ADD else _set(stage, "after", "before")


def _stages(merge: Merge) -> Iterator[_Stage]:
    entries = _fetch(
        """SELECT position, model, kind, before, after FROM merging_journalentry
           WHERE merge_id = %s AND kind <> 'stay' AND chunk = 0 ORDER BY position""",
        [merge.pk],
    )
    singles = [
        _Stage(merge.pk, place, place, model, kind, _json(before), _json(after) or {})
        for place, model, kind, before, after in entries
    ]
    for _, group in groupby(singles, _alike):
        stages = list(group)
        yield replace(stages[0], last=stages[-1].last)


def _alike(stage: _Stage) -> tuple[Any, ...]:
    """Moves stand alone; changes and additions go together when they touch the same columns."""
    alone = stage.first if stage.kind == Kind.MOVE else -1
    return stage.model, stage.kind, tuple(sorted(stage.after)), alone


def _set(stage: _Stage, old: str, new: str) -> None:
    """Bring the stage's rows from their `old` values to their `new` ones, where they still hold the old."""
    columns = stage.columns()
    assign = ", ".join(f'"{c}" = (j.{new})."{c}"' for c in columns)
    expect = " AND ".join(f't."{c}" IS NOT DISTINCT FROM (j.{old})."{c}"' for c in columns)
    _touch_all(stage, f'UPDATE "{stage.table}" t SET {assign} FROM j WHERE t.id = j.pk AND {expect}')


def _add(stage: _Stage) -> None:
    columns = stage.columns()
    names = ", ".join(f'"{c}"' for c in columns)
    values = ", ".join(f'(j.after)."{c}"' for c in columns)
    sql = f'INSERT INTO "{stage.table}" (id, {names}) SELECT j.pk, {values} FROM ({_rows(stage)}) j'
    _run(sql, _key(stage))


def _take_back(stage: _Stage) -> None:
    expect = " AND ".join(f't."{c}" IS NOT DISTINCT FROM (j.after)."{c}"' for c in stage.columns())
    _touch_all(stage, f'DELETE FROM "{stage.table}" t USING j WHERE t.id = j.pk AND {expect}')


def _touch_all(stage: _Stage, statement: str) -> None:
    """Run a statement over the stage's rows `j` that must touch every one of them; name those that it missed."""
    sql = f"""WITH j AS ({_rows(stage)}), touched AS ({statement} RETURNING t.id)
        SELECT pk FROM j WHERE NOT EXISTS (SELECT 1 FROM touched WHERE touched.id = j.pk) LIMIT 100"""
    missed = [{"model": stage.model, "id": pk} for (pk,) in _fetch(sql, _key(stage))]
    if missed:
        raise RowsHaveChanged(facts={"rows": missed})


def _rows(stage: _Stage) -> str:
    """The stage's row ids, each with the values before and after as typed records."""
    if stage.kind == Kind.MOVE:
        return f"""SELECT i.pk, v.before, v.after FROM
            (SELECT unnest(ids) AS pk FROM merging_journalentry WHERE merge_id = %s AND position BETWEEN %s AND %s) i,
            (SELECT jsonb_populate_record(NULL::"{stage.table}", before) AS before,
                    jsonb_populate_record(NULL::"{stage.table}", after) AS after
             FROM merging_journalentry WHERE merge_id = %s AND position = %s AND chunk = 0) v"""
    return f"""SELECT ids[1] AS pk, jsonb_populate_record(NULL::"{stage.table}", before) AS before,
               jsonb_populate_record(NULL::"{stage.table}", after) AS after
        FROM merging_journalentry WHERE merge_id = %s AND position BETWEEN %s AND %s AND kind = '{stage.kind}'"""


def _key(stage: _Stage) -> list[int]:
    key = [stage.merge_id, stage.first, stage.last]
    return [*key, stage.merge_id, stage.first] if stage.kind == Kind.MOVE else key


def _label(model: type[Model]) -> str:
    return model._meta.label


def _model(label: str) -> type[Model]:
    return apps.get_model(label)


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _run(sql: str, params: Sequence[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return int(cursor.rowcount)


def _fetch(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())
