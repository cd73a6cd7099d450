"""What an account holds, by kind, as its page shows it. Apps say it in `<app>/transcript.py`.

register(
    Kind(
        key="badges",
        label="Badges",
        rows=lambda account: BadgeAward.objects.filter(user=account).select_related("badge"),
        columns=(Column("Badge", "badge"), Column("Awarded", "awarded_at")),
        aside=Q(is_superseded=True),
    )
)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import F, Model, Q, QuerySet
from django.db.models.expressions import Combinable

from accounts.models import User
from accounts.paging import Page, page_of

SIZE = 50
ORDER = (
    "enrollments",
    "learning_records",
    "certificates",
    "certifications",
    "competencies",
    "external_trainings",
    "learning_plans",
    "badges",
    "points",
    "coins",
    "reward_requests",
    "subscriptions",
    "transactions",
)


@dataclass(frozen=True)
class Column:
    """A heading, and how to get the value from a row: the path of an attribute, or a function."""

    label: str
    value: str | Callable[[Any], Any]

    def of(self, row: Model) -> Any:
        if callable(self.value):
            return self.value(row)
        found: Any = row
        for name in self.value.split("."):
            found = getattr(found, name, None)
        return found


@dataclass(frozen=True)
class Kind:
    """One kind of data. `aside` tells the rows that are kept as history; `notes` says, per row, what is special.

    `order` ranks the rows, the highest first; `total` is a figure above them, like a balance. `page` names the
    address of one row's page.
    """

    key: str
    label: str
    rows: Callable[[User], QuerySet[Any]]
    columns: Sequence[Column]
    aside: Q | None = None
    order: str | Combinable = "id"
    notes: Callable[[Any], Iterable[tuple[str, str]]] = lambda row: ()
    total: Callable[[User], str] | None = None
    page: str = ""


@dataclass(frozen=True)
class Cell:
    label: str
    value: Any

    @property
    def type(self) -> str:
        """How a page shows it."""
        if isinstance(self.value, datetime):
            return "time"
        return "number" if isinstance(self.value, Decimal | int) and not isinstance(self.value, bool) else "text"


@dataclass(frozen=True)
class Line:
    """A row as shown. `notes` are pairs of tone and words."""

    row: Any
    cells: Sequence[Cell]
    notes: Sequence[tuple[str, str]]

    @property
    def place(self) -> tuple[str, int]:
        """How the journal of merges names the row."""
        return self.row._meta.label, self.row.pk

    @property
    def is_aside(self) -> bool:
        return any(getattr(self.row, flag, False) for flag in ("is_historical", "is_superseded"))


@dataclass(frozen=True)
class Shown:
    """A kind as shown: some of its lines, and the marks of the pages beside them."""

    kind: Kind
    lines: Sequence[Line]
    page: Page[Any]
    total: str


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    _kinds[kind.key] = kind


def kinds() -> list[Kind]:
    """All kinds, in the order of the page."""
    return sorted(_kinds.values(), key=lambda kind: ORDER.index(kind.key))


def show(account: User, kind: Kind, *, history: bool, after: str = "", before: str = "") -> Shown:
    """A page of one kind, what is current alone unless history is asked for. One statement, one more for a total."""
    rows = kind.rows(account)
    if kind.aside is not None and not history:
        rows = rows.exclude(kind.aside)
    order = F(kind.order) if isinstance(kind.order, str) else kind.order
    page = page_of(rows.annotate(key=order), SIZE, descending=True, after=after, before=before)
    lines = [
        Line(row, [Cell(column.label, column.of(row)) for column in kind.columns], list(kind.notes(row)))
        for row in page.rows
    ]
    return Shown(kind, lines, page, kind.total(account) if kind.total else "")
