"""What a merge would do, computed and never stored. Reads only; the same accounts and choices give the same plan."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import Model, QuerySet

from merging.errors import ChoicesInvalid
from merging.handlers import SECTIONS, Case, Change, Claim, MergeHandler, Move, Notice, Outcome, Sorted, registered
from merging.sight import Sight, fetch, look

if TYPE_CHECKING:
    from accounts.models import User

DIGITS = 12


Tallies = Mapping[int, Mapping[str, int]]
"""Of each move, by its step's position: how many rows each verdict concerns."""


@dataclass(frozen=True)
class Step:
    """One change or move of a handler, and how many rows each of its verdicts concerns.

    `position` is its place, and that of its first verdict; the others follow.
    """

    position: int
    key: str
    section: str
    action: Change | Move
    tally: Mapping[str, int] = field(default_factory=dict)

    @property
    def model(self) -> type[Model]:
        return self.action.model if isinstance(self.action, Change) else self.action.rows.model

    def outcomes(self) -> Iterator[tuple[Outcome, int]]:
        if isinstance(self.action, Change):
            yield self.action.outcome, 1
        else:
            for name, rows in self.tally.items():
                yield self.action.verdicts[name].outcome, rows


@dataclass(frozen=True)
class Plan:
    """The whole of it. `left` says, per claim, how many rows the source keeps; execution verifies just that.

    `touched`: the claims in which the source has rows or a step writes any; the locks keep others from the rest.
    """

    case: Case
    steps: Sequence[Step] = ()
    blockers: Sequence[Notice] = ()
    digest: str = ""
    left: Mapping[Claim, int] = field(default_factory=dict)
    touched: Sequence[Claim] = ()
    asked: Sequence[MergeHandler] = ()

    @cached_property
    def warnings(self) -> list[Notice]:
        """What the person must see before confirming; looked up when somebody asks."""
        return [notice for handler in self.asked for notice in handler.warnings(self.case)]

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


def count_moves(steps: Sequence[Step]) -> Tallies:
    """Rows per verdict of each move, in one statement."""
    moves = [(step, step.action) for step in steps if isinstance(step.action, Move)]
    if not moves:
        return {}
    parts, params = [], []
    for step, move in moves:
        sql, values = compiled(move.rows)
        parts.append(f"SELECT {step.position}, verdict, count(*) FROM ({sql}) q GROUP BY verdict")
        params += values
    return tallied(moves, fetch(" UNION ALL ".join(parts), params))


def tallied(moves: Sequence[tuple[Step, Move]], found: Iterable[tuple[Any, ...]]) -> Tallies:
    """Position, verdict and number of rows as the tally of each move, in the order of its verdicts."""
    rows = Counter[tuple[int, str]]()
    for position, verdict, size in found:
        rows[position, verdict] += size
    return {
        step.position: {name: rows[step.position, name] for name in move.verdicts if (step.position, name) in rows}
        for step, move in moves
    }


def make_plan(case: Case, actor: User, *, count: Callable[[Sequence[Step]], Tallies] = count_moves) -> Plan:
    """Ask every handler. Raises ChoicesInvalid for choices that no page offers.

    `count` tells how many rows each move concerns. Two accounts that are one have nothing to plan: such a plan holds
    its blocker alone.
    """
    handlers = registered()
    blockers = [notice for handler in handlers for notice in handler.blockers(case, actor)]
    if case.source.pk == case.destination.pk:
        return Plan(case, blockers=blockers)
    problems = [problem for handler in handlers for problem in handler.check_choices(case)]
    if problems:
        raise ChoicesInvalid(problems)
    seen = look(case)
    rows = {sight.claim: sight.rows for sight in seen if sight.claim is not None}
    case = replace(case, empty={sight.claim for sight in seen if sight.claim and sight.fingerprint is None})
    asked = [handler for handler in handlers if not handler.only_moves or any(rows[c] for c in handler.claims)]
    steps = list(_steps(case, asked))
    tallies = count(steps)
    steps = [replace(step, tally=tallies.get(step.position, {})) for step in steps]
    written = {step.model for step in steps}
    touched = [claim for claim, size in rows.items() if size or claim.model in written]
    return Plan(case, steps, blockers, _digest(case, steps, seen), _left(case, steps, rows), touched, asked)


def _steps(case: Case, handlers: Iterable[MergeHandler]) -> Iterator[Step]:
    position = 0
    for handler in handlers:
        for action in handler.plan(case):
            yield Step(position, handler.key, handler.section, action)
            position += len(action.verdicts) if isinstance(action, Move) else 1


def compiled(rows: QuerySet[Any] | Sorted) -> tuple[str, list[Any]]:
    """SQL and parameters of a move's rows: the columns pk and verdict.

    OFFSET 0 makes PostgreSQL compute each verdict once, wherever it is used.
    """
    if isinstance(rows, Sorted):
        sql, params = rows.sql, rows.params
    else:
        sql, params = rows.order_by().values_list("pk", "verdict").query.sql_with_params()
    return f"SELECT * FROM ({sql}) r(pk, verdict) OFFSET 0", list(params)


def _digest(case: Case, steps: Sequence[Step], seen: Sequence[Sight]) -> str:
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


def _left(case: Case, steps: Iterable[Step], claims: Iterable[Claim]) -> dict[Claim, int]:
    """Rows that the steps leave with the source. One that no step speaks of isn't among them, so it will be noticed."""
    left = dict.fromkeys(claims, 0)
    for step in steps:
        for model, after, size in _owners(step):
            for claim in left:
                if claim.model is model and after.get(claim.attname) == case.source.pk:
                    left[claim] += size
    return left


def _owners(step: Step) -> Iterator[tuple[type[Model], Mapping[str, Any], int]]:
    if isinstance(step.action, Change):
        yield step.model, step.action.after, 1
    else:
        for name, rows in step.tally.items():
            yield step.model, step.action.verdicts[name].after, rows


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
