"""What the database refuses, told so that an outsider can mend it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, models

from rest_contract.problems import Invalid, Problem, field_error

KEY = re.compile(r"Key \((?P<columns>.*?)\)=\((?P<values>.*)\)", re.DOTALL)
NOISE = re.compile(r'lower\(|::[a-z ]+|[()"]')
UNIQUE, CHECK, FOREIGN = "23505", "23514", "23503"


def tell(error: IntegrityError, model: type[models.Model], rows: Sequence[Mapping[str, Any]]) -> Problem:
    """A taken value, or a second row for the same thing, contradicts the state (409)."""
    cause: Any = error.__cause__
    code = getattr(cause, "pgcode", "")
    if code == UNIQUE:
        return _taken(str(getattr(cause.diag, "message_detail", "") or ""), model, rows)
    if code == CHECK:
        name = str(cause.diag.constraint_name or "").replace("_", " ")
        return Invalid(field_error("", "invalid", f"The values don't fit together: {name}."))
    if code == FOREIGN:
        return Problem(409, "gone_meanwhile", "Something that this refers to was removed meanwhile.")
    return Problem(409, "conflict", "It contradicts what is stored already.")


def _taken(detail: str, model: type[models.Model], rows: Sequence[Mapping[str, Any]]) -> Problem:
    match = KEY.search(detail)
    names = [_field(column, model) for column in NOISE.sub("", match["columns"]).split(", ")] if match else []
    place = _place(names, match["values"], rows) if match else ""
    text = "Already in use." if len(names) == 1 else "Together, these exist already."
    errors = [field_error(place + name, "unique", text) for name in names]
    return Problem(409, "already_exists", f"There is one already with this {' and '.join(names)}.", errors=errors)


def _field(column: str, model: type[models.Model]) -> str:
    return next((field.name for field in model._meta.local_fields if field.column == column), column)


def _place(names: list[str], values: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """The place of the row of a list that the database stumbled over, as the start of a path."""
    wanted = values.lower()
    for place in reversed(range(len(rows))):
        if ", ".join(str(rows[place].get(name, "")) for name in names).lower() == wanted:
            return f"{place}."
    return ""
