"""Handlers plan what a merge does to one kind of data. They never write: the journal does.

Every app registers its handlers in `<app>/merge.py`. A handler with nothing special is three attributes and no method:

    @register
    class TransactionHandler(MergeHandler):
        key = section = "transactions"
        claims = (Claim(Transaction, "user"),)
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from django.db.models import Model, QuerySet

from merging.models import Merge
from merging.policies import Choices, Policy, Side

if TYPE_CHECKING:
    from accounts.models import User

SECTIONS: Mapping[str, str] = {
    "profile": "User Information",
    "enrollments": "Enrollments",
    "learning_records": "Learning records",
    "certificates": "Certificates",
    "certifications": "Certifications",
    "competencies": "Competencies",
    "external_trainings": "External training",
    "learning_plans": "Learning plans",
    "badges": "Badges",
    "points": "Points",
    "coins": "Coins",
    "reward_requests": "Reward requests",
    "subscriptions": "Subscriptions",
    "transactions": "Transactions",
    "links": "Linked accounts",
    "account": "Account",
}


class Outcome(StrEnum):
    MOVED = "moved"
    CHANGED = "changed"
    ADDED = "added"
    SUPERSEDED = "superseded"
    STAYS = "stays"


@dataclass(frozen=True)
class Claim:
    """A column that points at the user table, and that a handler answers for."""

    model: type[Model]
    column: str

    @property
    def attname(self) -> str:
        return f"{self.column}_id"


@dataclass(frozen=True)
class Case:
    """One merge that is being considered. `empty`: claims in which neither account has rows, as far as is known."""

    source: User
    destination: User
    policy: Policy
    choices: Choices
    empty: Collection[Claim] = ()

    @property
    def merges_enrollments(self) -> bool:
        return self.choices.merge_enrollments

    def course_side(self, course_id: int) -> Side | None:
        return self.choices.courses.get(course_id)


@dataclass(frozen=True)
class Notice:
    """A blocker or a warning: a stable code, a sentence with cause and remedy, facts for machines."""

    code: str
    detail: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ChoiceRow:
    """One row of the wizard: what either side holds, and which side is ticked before anybody chose."""

    key: str
    label: str
    source: str | None
    destination: str | None
    preselected: Side
    is_open: bool = True
    reason: str = ""

    @property
    def differs(self) -> bool:
        return self.source != self.destination


@dataclass(frozen=True)
class Change:
    """One row that needed a decision. Columns (attnames) with their values before and after.

    `before` None: the row is added. `before == after`: it stays.
    """

    model: type[Model]
    pk: int | None
    before: Mapping[str, Any] | None
    after: Mapping[str, Any]
    outcome: Outcome
    reason: str
    what: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """What happens to all rows that a move puts in one class: the same columns, the same values, none of them nested."""

    outcome: Outcome
    reason: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass(frozen=True)
class Sorted:
    """A statement that gives two columns, ids of rows of `model` and their verdicts: for what a QuerySet says badly."""

    model: type[Model]
    sql: str
    params: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Watched:
    """The rows of `model` that fit a condition in SQL, in which the table is `t`."""

    model: type[Model]
    condition: str
    params: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Move:
    """Many rows of one table, sorted into classes by SQL alone.

    `rows` carries the annotation `verdict`, a key of `verdicts`, or NULL for rows that the merge doesn't concern.
    The classes are played in the order of `verdicts`, so those that make room come first.
    """

    rows: QuerySet[Any] | Sorted
    verdicts: Mapping[str, Verdict]


def moves(source_id: int, destination_id: int, column: str = "user_id", reason: str = "only on the source") -> Verdict:
    """The plain verdict: the row changes its owner and nothing else."""
    return Verdict(Outcome.MOVED, reason, {column: source_id}, {column: destination_id})


def stays(source_id: int, reason: str, column: str = "user_id") -> Verdict:
    """The row stays on the source, for a reason that the review shows."""
    return Verdict(Outcome.STAYS, reason, {column: source_id}, {column: source_id})


class MergeHandler:
    """Answers for the columns in `claims`, in one section of the review.

    `only_moves`: where the source has no rows in them there is nothing to plan and to warn of, so it isn't asked.
    """

    key: ClassVar[str]
    section: ClassVar[str]
    claims: ClassVar[tuple[Claim, ...]]
    related: ClassVar[tuple[str, ...]] = ()
    only_moves: ClassVar[bool] = True

    def plan(self, case: Case) -> Iterator[Change | Move]:
        """What happens to this kind. Reads only; the same answer twice. Unless told otherwise, every row moves."""
        for claim in self.claims:
            yield self.move_all(case, claim)

    def move_all(self, case: Case, claim: Claim, verdict: Verdict | None = None) -> Move:
        """Every row of the source in this claim, alike."""
        meta = claim.model._meta
        column: Any = meta.get_field(claim.column)
        sql = f'SELECT "{meta.pk.column}", \'all\' FROM "{meta.db_table}" WHERE "{column.column}" = %s'  # noqa: S608
        verdict = verdict or moves(case.source.pk, case.destination.pk, claim.attname)
        return Move(Sorted(claim.model, sql, (case.source.pk,)), {"all": verdict})

    def choices(self, case: Case) -> list[ChoiceRow]:
        """The rows that a person may decide."""
        return []

    def check_choices(self, case: Case) -> Iterable[dict[str, str]]:
        """What is wrong with the choices made: field, code and detail each."""
        return ()

    def blockers(self, case: Case, actor: User) -> Iterable[Notice]:
        """Reasons that forbid this merge."""
        return ()

    def warnings(self, case: Case) -> Iterable[Notice]:
        """What the person must see before confirming."""
        return ()

    def describe(self, row: Any) -> tuple[str, dict[str, Any]]:
        """One row in words, for review and journal: what it is, and plain facts about it."""
        return str(row), {}

    def watches(self, case: Case) -> Iterable[Watched]:
        """Rows without an owner of their own whose changes make a review stale."""
        return ()

    def companions(self, account_ids: Iterable[int]) -> set[int]:
        """Other accounts that this kind reads or writes when these merge; they are locked too."""
        return set()

    def settle(self, case: Case, merge: Merge) -> None:
        """What a merge ends and no undo revives, inside its transaction."""

    def check_undo(self, merge: Merge) -> None:
        """Look at both accounts after the rows went back; raise UndoRefused to call it off."""


_handlers: dict[str, MergeHandler] = {}
_exemptions: dict[tuple[str, str], str] = {}


Handler = TypeVar("Handler", bound=type[MergeHandler])


def register(handler: Handler) -> Handler:
    """Class decorator: this handler answers for its claims."""
    if handler.key in _handlers or handler.section not in SECTIONS:
        raise ValueError(f"Handler key {handler.key} is taken, or section {handler.section} is unknown.")
    _handlers[handler.key] = handler()
    return handler


def exempt(model: str, column: str, reason: str) -> None:
    """Say that merges leave this column alone, and why. `model` is "app_label.ModelName"."""
    _exemptions[(model.lower(), column)] = reason


def registered() -> list[MergeHandler]:
    """All handlers, in the order of the review's sections."""
    places = {section: place for place, section in enumerate(SECTIONS)}
    return sorted(_handlers.values(), key=lambda handler: places[handler.section])


def exemptions() -> Mapping[tuple[str, str], str]:
    """(model, column) to reason."""
    return _exemptions
