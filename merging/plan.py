"""What a merge would do, computed and never stored. Reads only; the same accounts and choices give the same plan."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet

from merging.errors import ChoicesInvalid
from merging.handlers import SECTIONS, Case, Change, Claim, Move, Notice, Outcome, Sorted, registered

if TYPE_CHECKING:
    from accounts.models import User

DIGITS = 12


@dataclass(frozen=True)
class Step:
    """One change or move of a handler, and how many rows each of its verdicts concerns."""

    key: str
    section: str
    action: Change | Move
    tally: Mapping[str, int]

    def outcomes(self) -> Iterator[tuple[Outcome, int]]:
        if isinstance(self.action, Change):
            yield self.action.outcome, 1
        else:
            for name, rows in self.tally.items():
                yield self.action.verdicts[name].outcome, rows


@dataclass(frozen=True)
class Plan:
    """The whole of it. `left` says, per claim, how many rows the source keeps; execution verifies just that."""

    case: Case
    steps: Sequence[Step] = ()
    blockers: Sequence[Notice] = ()
    warnings: Sequence[Notice] = ()
    digest: str = ""
    left: Mapping[Claim, int] = field(default_factory=dict)

    def counts(self) -> dict[str, dict[str, int]]:
        """Per section, how many rows have which outcome; every section and outcome is named."""
        counts = {section: {outcome.value: 0 for outcome in Outcome} for section in SECTIONS}
        for step in self.steps:
            for outcome, rows in step.outcomes():
                counts[step.section][outcome.value] += rows
        return counts

    @property
    def size(self) -> int:
        """Rows that the merge writes."""
        return sum(rows for step in self.steps for outcome, rows in step.outcomes() if outcome is not Outcome.STAYS)


def make_plan(case: Case, actor: User) -> Plan:
    """Ask every handler. Raises ChoicesInvalid for choices that no page offers.

    Two accounts that are one have nothing to plan: such a plan holds its blocker alone.
    """
    handlers = registered()
    blockers = [notice for handler in handlers for notice in handler.blockers(case, actor)]
    if case.source.pk == case.destination.pk:
        return Plan(case, blockers=blockers)
    problems = [problem for handler in handlers for problem in handler.check_choices(case)]
    if problems:
        raise ChoicesInvalid(problems)
    warnings = [notice for handler in handlers for notice in handler.warnings(case)]
    planned = [(handler, action) for handler in handlers for action in handler.plan(case)]
    tallies = _tally([action for _, action in planned if isinstance(action, Move)])
    steps = [
        Step(handler.key, handler.section, action, next(tallies) if isinstance(action, Move) else {})
        for handler, action in planned
    ]
    seen = _look(case)
    return Plan(case, steps, blockers, warnings, _digest(case, steps, seen), _left(case, steps, seen))


def _tally(moves: Sequence[Move]) -> Iterator[Mapping[str, int]]:
    """Rows per verdict of each move, in one statement."""
    if not moves:
        return iter(())
    parts, params = [], []
    for number, move in enumerate(moves):
        sql, values = compiled(move.rows)
        parts.append(f"SELECT {number}, verdict, count(*) FROM ({sql}) q WHERE verdict IS NOT NULL GROUP BY verdict")
        params += values
    found: list[dict[str, int]] = [{} for _ in moves]
    for number, verdict, rows in _fetch(" UNION ALL ".join(parts), params):
        found[number][verdict] = rows
    return iter(
        [
            {name: tally[name] for name in move.verdicts if name in tally}
            for move, tally in zip(moves, found, strict=True)
        ]
    )


def compiled(rows: QuerySet[Any] | Sorted) -> tuple[str, list[Any]]:
    """SQL and parameters of a move's rows: the columns pk and verdict."""
    if isinstance(rows, Sorted):
        sql, params = rows.sql, rows.params
    else:
        sql, params = rows.order_by().values_list("pk", "verdict").query.sql_with_params()
    return f"SELECT * FROM ({sql}) r(pk, verdict)", list(params)


@dataclass(frozen=True)
class _Sight:
    """What was seen of one table: a fingerprint of both accounts' rows, and how many the source has."""

    section: str
    claim: Claim | None
    rows: int
    fingerprint: int


def _look(case: Case) -> list[_Sight]:
    """Fingerprint all rows that the two accounts have in every claimed or watched table, in one statement."""
    seen: list[tuple[str, Claim | None]] = []
    parts: list[str] = []
    params: list[Any] = []
    for handler in registered():
        for claim in handler.claims:
            table = claim.model._meta.db_table
            column = claim.attname
            seen.append((handler.section, claim))
            parts.append(
                f'SELECT {len(parts)}, count(*) FILTER (WHERE t."{column}" = %s), bit_xor(hash_record_extended(t, 0))'
                f' FROM "{table}" t WHERE t."{column}" IN (%s, %s)'
            )
            params += [case.source.pk, case.source.pk, case.destination.pk]
        for rows in handler.watches(case):
            sql, values = rows.order_by().values("pk").query.sql_with_params()
            seen.append((handler.section, None))
            parts.append(
                f"SELECT {len(parts)}, 0, bit_xor(hash_record_extended(t, 0))"
                f' FROM "{rows.model._meta.db_table}" t WHERE t.id IN ({sql})'
            )
            params += values
    found = {number: (rows, fingerprint) for number, rows, fingerprint in _fetch(" UNION ALL ".join(parts), params)}
    return [_Sight(section, claim, *found[number]) for number, (section, claim) in enumerate(seen)]


def _digest(case: Case, steps: Sequence[Step], seen: Sequence[_Sight]) -> str:
    """One part per section, so that a stale plan can say where it differs; the first part is the question itself."""
    question = [case.source.pk, case.destination.pk, case.policy.name, case.choices.as_json()]
    parts = [_hash(question)]
    for section in SECTIONS:
        facts: list[Any] = [sight.fingerprint for sight in seen if sight.section == section]
        facts += [_essence(step) for step in steps if step.section == section]
        parts.append(_hash(facts))
    return "".join(parts)


def differing_sections(one: str, other: str) -> list[str]:
    """The labels of the sections in which two digests differ."""
    labels = ["Policy and choices", *SECTIONS.values()]
    places = range(0, DIGITS * len(labels), DIGITS)
    return [label for label, at in zip(labels, places, strict=True) if one[at : at + DIGITS] != other[at : at + DIGITS]]


def _essence(step: Step) -> list[Any]:
    if isinstance(step.action, Move):
        return [step.key, dict(step.tally)]
    change = step.action
    return [step.key, change.model._meta.label, change.pk, change.before, change.after, change.outcome, change.detail]


def _hash(facts: Any) -> str:
    text = json.dumps(as_plain(facts), sort_keys=True)
    return hashlib.sha256(f"{settings.SECRET_KEY}{text}".encode()).hexdigest()[:DIGITS]


def _left(case: Case, steps: Iterable[Step], seen: Iterable[_Sight]) -> dict[Claim, int]:
    left = {sight.claim: sight.rows for sight in seen if sight.claim is not None}
    for step in steps:
        for model, before, after, rows in _owners(step):
            for claim in left:
                if claim.model is model and claim.attname in after:
                    was = (before or {}).get(claim.attname) == case.source.pk
                    left[claim] += rows * ((after[claim.attname] == case.source.pk) - was)
    return left


def _owners(step: Step) -> Iterator[tuple[Any, Mapping[str, Any] | None, Mapping[str, Any], int]]:
    if isinstance(step.action, Change):
        yield step.action.model, step.action.before, step.action.after, 1
    else:
        for name, rows in step.tally.items():
            verdict = step.action.verdicts[name]
            yield step.action.rows.model, verdict.before, verdict.after, rows


def count_left(case: Case, claims: Iterable[Claim]) -> dict[Claim, int]:
    """How many rows still point at the source, per claim, in one statement."""
    listed = list(claims)
    parts = [
        f'SELECT {number}, count(*) FROM "{claim.model._meta.db_table}" WHERE "{claim.attname}" = %s'
        for number, claim in enumerate(listed)
    ]
    found = _fetch(" UNION ALL ".join(parts), [case.source.pk] * len(listed))
    return {listed[number]: rows for number, rows in found}


def as_plain(value: Any) -> Any:
    """Values as JSON keeps them without loss: times with microseconds, decimals as text."""
    if isinstance(value, Mapping):
        return {str(key): as_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_plain(item) for item in value]
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    return value


def _fetch(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())
