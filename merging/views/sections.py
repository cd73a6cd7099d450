"""Sections of a review or of a history as tabs with rows, for `_tabs.html`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from merging import review
from merging.views.facts import facts

ROWS_LISTED = 50
TABS = ("profile", "enrollments", "transactions", "badges", "subscriptions")


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
    told = {"what": row.what, "outcome": row.outcome, "reason": row.reason}
    return told | {"facts": facts(row.detail), "detail": row.detail}
