"""The details of a row in words for a person; what only machines want is left out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from typing import Any

from django.db.models import DecimalField, Field

from merging.handlers import registered

ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d|$)")
STATES = {"before": "status", "after": "status"}  # names of details that hold the values of a column


def facts(detail: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Label and value of each detail, without ids and without what isn't so."""
    told = {key: value for key, value in detail.items() if key not in _ids() and not _says_nothing(value)}
    is_money = "currency" in detail
    return [(key.replace("_", " "), _fact(key, told[key], is_money)) for key in sorted(told)]  # stored without order


def _says_nothing(value: Any) -> bool:
    return value is False or value in (None, "", [], {})


def _fact(key: str, value: Any, is_money: bool = False) -> str:
    """A plain value for people: states by their labels, times as dates, truth as yes or no, parts of a whole one after
    the other, and numbers without noughts that say nothing; money keeps its cents."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{part.replace('_', ' ')} {_fact(part, item, is_money)}" for part, item in value.items())
    if isinstance(value, list):
        return ", ".join(_fact(key, item, is_money) for item in value)
    if isinstance(value, str) and ISO_DATE.match(value):
        return date.fromisoformat(value[:10]).strftime("%-d %b %Y")
    if key in _decimals() and not is_money:
        return _short(str(value))
    return _labels().get((STATES.get(key, key), str(value)), str(value))


def _short(number: str) -> str:
    return number.rstrip("0").rstrip(".") if "." in number else number


def _columns() -> Iterator[Field[Any, Any]]:
    """The columns of all tables that merges move rows of."""
    for model in {claim.model for handler in registered() for claim in handler.claims}:
        yield from model._meta.fields


@cache
def _ids() -> frozenset[str]:
    relations = [column for column in _columns() if column.is_relation]
    return frozenset({"id", *(c.name for c in relations), *(c.attname for c in relations)})


@cache
def _decimals() -> frozenset[str]:
    return frozenset(column.name for column in _columns() if isinstance(column, DecimalField))


@cache
def _labels() -> Mapping[tuple[str, str], str]:
    return {(column.name, str(value)): str(label) for column in _columns() for value, label in column.flatchoices}
