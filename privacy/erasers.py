"""The usual ways to erase. Each is one statement per table, whatever the number of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Field, Func, JSONField, Model, Q, QuerySet, TextField, Value
from django.db.models.functions import Left

from privacy.person import REMOVED, Person
from privacy.registry import Eraser


def _rows_of(person: Person, model: type[Model], paths: str) -> QuerySet[Any]:
    """Rows that belong to the person by one of these paths to an account."""
    owned = reduce(or_, (Q(**{f"{path}__in": list(person.ids)}) for path in paths.split()))
    return model._base_manager.filter(owned)


def _empty(field: Field[Any, Any]) -> Any:
    """The value of a column that holds nothing."""
    if field.null:
        return None
    default = field.get_default() if field.has_default() else ""
    return default if isinstance(field, JSONField) or default in ([], {}) else ""


@dataclass(frozen=True)
class Blank:
    """Empty the columns in the rows that belong to the person by `of`: paths to an account, by spaces apart."""

    of: str

    def __call__(self, person: Person, model: type[Model], columns: Sequence[str]) -> None:
        blank = {column: _empty(model._meta.get_field(column)) for column in columns}  # type: ignore[arg-type]
        _rows_of(person, model, self.of).update(**blank)


@dataclass(frozen=True)
class Remove:
    """Delete the rows that belong to the person."""

    of: str

    def __call__(self, person: Person, model: type[Model], columns: Sequence[str]) -> None:
        _rows_of(person, model, self.of).delete()


@dataclass(frozen=True)
class Redact:
    """Take the person's values out of texts: all their words in rows that are theirs by `of`; without `of`, what
    identifies them in everybody's rows."""

    of: str = ""

    def __call__(self, person: Person, model: type[Model], columns: Sequence[str]) -> None:
        pattern = person.word_pattern if self.of else person.identifier_pattern
        if pattern is None:
            return
        rows = _rows_of(person, model, self.of) if self.of else model._base_manager.all()
        for column in columns:
            rows.filter(**{f"{column}__iregex": pattern}).update(**{column: redacted(model, column, pattern)})


def in_turn(*erasers: Eraser) -> Eraser:
    """One after the other."""

    def erase(person: Person, model: type[Model], columns: Sequence[str]) -> None:
        for eraser in erasers:
            eraser(person, model, columns)

    return erase


def redacted(model: type[Model], column: str, pattern: str) -> Any:
    """The column's text without what the pattern finds, as an expression."""
    text = Func(
        column, Value(pattern), Value(REMOVED), Value("gi"), function="regexp_replace", output_field=TextField()
    )
    longest = getattr(model._meta.get_field(column), "max_length", None)
    return Left(text, longest) if longest else text
