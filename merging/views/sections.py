"""Sections of a review or of a history as tabs with rows, for `_tabs.html`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from typing import Any

from merging import review
from merging.handlers import registered

ROWS_LISTED = 50
TABS = ("profile", "enrollments", "transactions", "badges", "subscriptions")
ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d|$)")


def tabs(
    load: Callable[..., list[review.Section]], tab: str, page: int, link: Callable[[str, int], str]
) -> dict[str, Any]:
    """Sections as tabs: the five that people look for first, then what else has rows; empty ones by name.

    `tab` is the open one, turned to `page`; the others show their first rows.
    """
    sections = {section.key: section for section in load()}
    tab = tab if tab in sections else TABS[0]
    if page > 1:
        sections |= {s.key: s for s in load(offset=(page - 1) * ROWS_LISTED, only=tab) if s.key == tab}
    shown = [sections[key] for key in TABS] + [s for s in sections.values() if s.key not in TABS and s.total]
    return {
        "sections": [_tab(section, section.key == tab, link) for section in shown],
        "empty": [s.label for s in sections.values() if s.key not in TABS and not s.total],
    }


def _tab(section: review.Section, is_open: bool, link: Callable[[str, int], str]) -> dict[str, Any]:
    page = section.offset // ROWS_LISTED + 1
    return {
        "section": section,
        "is_open": is_open,
        "counts": [(outcome, count) for outcome, count in section.counts.items() if count],
        "rows": [_row(row) for row in section.rows],
        "first": section.offset + 1,
        "last": section.offset + len(section.rows),
        "previous": link(section.key, page - 1) if page > 1 else "",
        "next": link(section.key, page + 1) if section.rest else "",
    }


def _row(row: review.Row) -> dict[str, Any]:
    """A row without what only machines want: ids, and what isn't so."""
    told = {key: value for key, value in row.detail.items() if key not in _ids() and not _says_nothing(value)}
    facts = [(key.replace("_", " "), _fact(told[key])) for key in sorted(told)]  # the database keeps no order
    return {"what": row.what, "outcome": row.outcome, "reason": row.reason, "facts": facts, "detail": row.detail}


def _says_nothing(value: Any) -> bool:
    return value is False or value in (None, "", [], {})


@cache
def _ids() -> frozenset[str]:
    """The names of columns that hold ids, in all tables that merges move rows of."""
    models = {claim.model for handler in registered() for claim in handler.claims}
    columns = {column for model in models for column in model._meta.fields if column.is_relation}
    return frozenset({"id", *(c.name for c in columns), *(c.attname for c in columns)})


def _fact(value: Any) -> str:
    """A plain value for people: times as dates, truth as yes or no, parts of a whole one after the other."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key.replace('_', ' ')} {_fact(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(_fact(item) for item in value)
    if isinstance(value, str) and ISO_DATE.match(value):
        return date.fromisoformat(value[:10]).strftime("%-d %b %Y")
    return str(value)
