"""Every column that may hold a personal value is named in its app's `privacy.py`, with how it is erased.

    personal("lending.Loan", "note", erase=Blank("user"))
    not_personal("lending.Loan", "item", "names a thing")
    moments("lending")

A system check fails for a column that is named by nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db.models import Model

from privacy.person import Person

Eraser = Callable[[Person, type[Model], Sequence[str]], None]
WITH_ACCOUNT = "until the account is deleted"
MOMENTS = "when something happened: what an account did stays, under no name"


@dataclass(frozen=True)
class Personal:
    """Columns that may hold personal values: `erase` clears them of a person, `kept` says how long they stay."""

    model: str
    columns: tuple[str, ...]
    erase: Eraser
    kept: str

    @property
    def model_class(self) -> type[Model]:
        found: type[Model] = apps.get_model(self.model)
        return found


@dataclass(frozen=True)
class Purge:
    """Values whose time is over: `run` takes the present moment and returns how many rows it cleared."""

    name: str
    after: str
    run: Callable[[datetime], int]


@dataclass(frozen=True)
class Harmless:
    """Columns without personal values, and why."""

    model: str
    columns: tuple[str, ...]
    reason: str


_personal: list[Personal] = []
_harmless: list[Harmless] = []
_moments: dict[str, str] = {}
_purges: dict[str, Purge] = {}
_lockers: list[Callable[[Person], None]] = []


def personal(model: str, columns: str, *, erase: Eraser, kept: str = WITH_ACCOUNT) -> None:
    """Name columns, by spaces apart, that may hold personal values."""
    _personal.append(Personal(model.lower(), tuple(columns.split()), erase, kept))


def not_personal(model: str, columns: str, reason: str) -> None:
    """Name columns, by spaces apart, that hold none, and say why."""
    _harmless.append(Harmless(model.lower(), tuple(columns.split()), reason))


def moments(app: str, reason: str = MOMENTS) -> None:
    """Say of all columns with date and time of an app, those named one by one aside, that they aren't personal."""
    _moments[app] = reason


def purge(name: str, *, after: str, run: Callable[[datetime], int]) -> None:
    """Register what beat and `manage.py purge` clear by age."""
    _purges[name] = Purge(name, after, run)


def before_locks(lock: Callable[[Person], None]) -> None:
    """Register what an erasure locks before it locks the accounts, because others take it in that order."""
    _lockers.append(lock)


def lockers() -> Sequence[Callable[[Person], None]]:
    return tuple(_lockers)


def personal_columns() -> Sequence[Personal]:
    return tuple(_personal)


def harmless_columns() -> Sequence[Harmless]:
    return tuple(_harmless)


def moments_of(app: str) -> str | None:
    """Why the moments of this app aren't personal; None when nobody said so."""
    return _moments.get(app)


def purges() -> Sequence[Purge]:
    return tuple(_purges.values())


def kept_out(model: type[Any]) -> frozenset[str]:
    """The personal columns of a model, by their names in the database."""
    label = model._meta.label_lower
    named = {column for one in _personal if one.model == label for column in one.columns}
    return frozenset(model._meta.get_field(column).attname for column in named)
