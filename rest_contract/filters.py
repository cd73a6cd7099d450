"""Filters of lists, as query parameters: declared per resource, read strictly, described in the schema."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime
from rest_framework.request import Request

from rest_contract.fields import ZONED
from rest_contract.problems import Invalid, field_error

PAGING = frozenset({"cursor", "page_size", "ordering"})
LONGEST = 254


@dataclass(frozen=True)
class Filter:
    """One parameter. `apply` narrows the rows by the value that `read` made of the text."""

    apply: Callable[[QuerySet[Any], Any], QuerySet[Any]]
    read: Callable[[str], Any]
    schema: Mapping[str, Any]
    description: str = ""


def by_id(column: str) -> Filter:
    schema = {"type": "integer", "minimum": 1, "maximum": 10**18 - 1}
    return Filter(lambda rows, value: rows.filter(**{column: value}), _id, schema)


def by_text(column: str, description: str = "", lookup: str = "exact") -> Filter:
    return Filter(lambda rows, value: rows.filter(**{f"{column}__{lookup}": value}), read_text, TEXT, description)


def by_choice(column: str, choices: Sequence[str]) -> Filter:
    return Filter(
        lambda rows, value: rows.filter(**{column: value}), one_of(choices), {"type": "string", "enum": list(choices)}
    )


def by_flag(column: str) -> Filter:
    return flag(lambda rows, value: rows.filter(**{column: value}))


def flag(apply: Callable[[QuerySet[Any], bool], QuerySet[Any]]) -> Filter:
    return Filter(apply, _flag, {"type": "boolean"})


def by_words(*columns: str) -> Filter:
    """Rows in which one of the columns starts with the text, whatever its case."""

    def narrow(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        found = Q()
        for column in columns:
            found |= Q(**{f"{column}__icontains": value})
        return rows.filter(found)

    return Filter(narrow, read_text, TEXT, "part of a name")


def since(column: str) -> Filter:
    return Filter(
        lambda rows, value: rows.filter(**{f"{column}__gte": value}), _time, {"type": "string", "format": "date-time"}
    )


TEXT: Mapping[str, Any] = {"type": "string", "minLength": 1, "maxLength": LONGEST, "pattern": r"^[^\x00]*$"}


def _id(text: str) -> int:
    if not re.fullmatch(r"\+?[0-9]{1,18}", text) or int(text) == 0:
        raise ValueError("Give an id, a whole number above zero.")
    return int(text)


def read_text(text: str) -> str:
    if not text or len(text) > LONGEST or "\x00" in text:
        raise ValueError(f"Give 1 to {LONGEST} characters, none of them null.")
    return text


def _flag(text: str) -> bool:
    if text.lower() not in ("true", "false", "1", "0"):
        raise ValueError("Give true or false.")
    return text.lower() in ("true", "1")


def _time(text: str) -> datetime:
    found = parse_datetime(text.upper().replace(" ", "+", 1)) if ZONED.fullmatch(text.replace(" ", "+", 1)) else None
    if found is None:
        raise ValueError("Give a time with its zone.")
    return found.astimezone(UTC)


def one_of(choices: Sequence[str]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in choices:
            raise ValueError(f"Choose one of {', '.join(choices)}.")
        return text

    return read


def read_query(request: Request, filters: Mapping[str, Filter], orderings: Mapping[str, str]) -> dict[str, Any]:
    """The values of the filters in this request. Raises Invalid, naming every parameter that is wrong or unknown."""
    values: dict[str, Any] = {}
    problems: list[dict[str, str]] = []
    for name in request.query_params:
        text = request.query_params[name]
        try:
            if name in filters:
                values[name] = filters[name].read(text)
            elif name == "ordering" and text.removeprefix("-") not in orderings:
                raise ValueError(f"Choose one of {', '.join(orderings)}, with - in front for the contrary.")
            elif name not in PAGING:
                raise ValueError("There is no filter of this name.")
        except (ValueError, OverflowError) as error:
            problems.append(field_error(name[:60].replace("\x00", ""), "invalid", str(error)))
    if problems:
        raise Invalid(*problems)
    return values
