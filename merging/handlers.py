"""Handlers plan what a merge does to one kind of data. They never write: the journal does.

Every app registers its handlers in `<app>/merge.py`. A handler with nothing special is three attributes and no method:

    @register
    class TransactionHandler(MergeHandler):
        key = section = "transactions"
        claims = (Claim(Transaction, "user"),)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from django.db.models import (
    BooleanField,
    CharField,
    Count,
    ExpressionWrapper,
    Model,
    OrderBy,
    Q,
    QuerySet,
    Value,
    When,
    Window,
)
from django.db.models import Case as Switch
from django.db.models.functions import RowNumber

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
    """One merge that is being considered."""

    source: User
    destination: User
    policy: Policy
    choices: Choices

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
    """What happens to all rows that a move puts in one class: the same columns, the same values."""

    outcome: Outcome
    reason: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass(frozen=True)
class Move:
    """Many rows of one table, sorted into classes by SQL alone.

    `rows` carries the annotation `verdict`, a key of `verdicts`, or NULL for rows that the merge doesn't concern.
    The classes are played in the order of `verdicts`, so those that make room come first.
    """

    rows: QuerySet[Any]
    verdicts: Mapping[str, Verdict]


def moves(source_id: int, destination_id: int, column: str = "user_id", reason: str = "only on the source") -> Verdict:
    """The plain verdict: the row changes its owner and nothing else."""
    return Verdict(Outcome.MOVED, reason, {column: source_id}, {column: destination_id})


def stays(source_id: int, reason: str, column: str = "user_id") -> Verdict:
    """The row stays on the source, for a reason that the review shows."""
    return Verdict(Outcome.STAYS, reason, {column: source_id}, {column: source_id})


class MergeHandler:
    """Answers for the columns in `claims`, in one section of the review."""

    key: ClassVar[str]
    section: ClassVar[str]
    claims: ClassVar[tuple[Claim, ...]]
    related: ClassVar[tuple[str, ...]] = ()

    def plan(self, case: Case) -> Iterator[Change | Move]:
        """What happens to this kind. Reads only; the same answer twice. Unless told otherwise, every row moves."""
        for claim in self.claims:
            yield self.move_all(case, claim)

    def move_all(self, case: Case, claim: Claim, verdict: Verdict | None = None) -> Move:
        """Every row of the source in this claim, alike."""
        rows = claim.model._default_manager.filter(**{claim.column: case.source.pk})
        verdict = verdict or moves(case.source.pk, case.destination.pk, claim.attname)
        return Move(rows.annotate(verdict=Value("all", output_field=CharField())), {"all": verdict})

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

    def watches(self, case: Case) -> Iterable[QuerySet[Any]]:
        """Rows without an owner of their own whose changes make a review stale."""
        return ()

    def companions(self, account_ids: Iterable[int]) -> set[int]:
        """Other accounts that this kind reads or writes when these merge; they are locked too."""
        return set()

    def settle(self, case: Case, merge: Merge) -> None:
        """What a merge ends and no undo revives, inside its transaction."""

    def check_undo(self, merge: Merge) -> None:
        """Look at both accounts after the rows went back; raise UndoRefused to call it off."""


class TwinHandler(MergeHandler):
    """A kind of which an account counts one row per thing; on a clash the better row wins, the other is kept aside.

    `things` name the thing, `live` tells rows that count, `loses` is what a losing row is set to and `keeps` what it
    held, `order` ranks the rows for one thing, best first. The destination's row wins a tie.
    """

    things: ClassVar[tuple[str, ...]]
    live: ClassVar[Q]
    loses: ClassVar[Mapping[str, Any]]
    keeps: ClassVar[Mapping[str, Any]]
    order: ClassVar[tuple[OrderBy, ...]]
    noun: ClassVar[str] = "one"

    def alive(self, case: Case) -> Q:
        """The rows that take part in the contest."""
        return self.live

    def ranking(self, case: Case) -> tuple[Any, ...]:
        """What decides between two rows for one thing, the first difference."""
        return (*self.order, owner_first(case.destination.pk))

    def rows(self, case: Case) -> QuerySet[Any]:
        """The rows of both accounts."""
        return self.claims[0].model._default_manager.filter(user__in=[case.source.pk, case.destination.pk])

    def classes(self, case: Case) -> Mapping[str, Verdict]:
        """The verdicts, in playing order: the destination's losers make room first."""
        s, d = case.source.pk, case.destination.pk
        before, after = {"user_id": d, **self.keeps}, {"user_id": d, **self.loses}
        return {
            "destination_loses": Verdict(Outcome.SUPERSEDED, f"the source's {self.noun} is better", before, after),
            "moves": moves(s, d),
            "wins": moves(s, d, reason=f"better than the destination's {self.noun}"),
            "loses": Verdict(
                Outcome.SUPERSEDED,
                f"the destination's {self.noun} is at least as good",
                {"user_id": s, **self.keeps},
                {"user_id": d, **self.loses},
            ),
            "aside": moves(s, d, reason="history moves as history"),
        }

    def cases(self, case: Case) -> Iterable[tuple[Q, str]]:
        """Which row gets which verdict; the first that fits. `place` and `size` are those among the living."""
        source, alive = Q(user=case.source.pk), self.alive(case)
        return (
            (source & ~alive, "aside"),
            (source & Q(size=1), "moves"),
            (source & Q(place=1), "wins"),
            (source, "loses"),
            (alive & Q(place__gt=1), "destination_loses"),
        )

    def plan(self, case: Case) -> Iterator[Change | Move]:
        yield Move(self.sort(case), self.classes(case))

    def ranked(self, case: Case) -> QuerySet[Any]:
        """Each row with its place among the rows for its thing, and how many these are."""
        partition: list[Any] = [*self.things, ExpressionWrapper(self.alive(case), BooleanField())]
        rows: QuerySet[Any] = self.rows(case).annotate(
            place=Window(RowNumber(), partition_by=partition, order_by=list(self.ranking(case))),
            size=Window(Count("pk"), partition_by=partition),
        )
        return rows

    def sort(self, case: Case) -> QuerySet[Any]:
        """Each row with its verdict."""
        whens = [When(condition, then=Value(verdict)) for condition, verdict in self.cases(case)]
        rows: QuerySet[Any] = self.ranked(case).annotate(verdict=Switch(*whens, output_field=CharField(), default=None))
        return rows


def owner_first(account_id: int) -> OrderBy:
    """Rows of this account before the others."""
    return OrderBy(ExpressionWrapper(Q(user=account_id), BooleanField()), descending=True)


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
