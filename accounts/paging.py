"""Pages of a long list that stay stable while it changes: each begins after a row, not at a number.

Any depth costs the same, since the index is entered at the row. Counts stop at a limit.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.db.models import Model, Q, QuerySet

Row = TypeVar("Row", bound=Model)
COUNT_LIMIT = 1000


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Some rows in order; `before` and `after` are the marks of the pages beside it, empty at either end."""

    rows: Sequence[Row]
    before: str = ""
    after: str = ""


def page_of(
    rows: QuerySet[Row], size: int, *, descending: bool = False, after: str = "", before: str = ""
) -> Page[Row]:
    """The page after or before a mark. `rows` carry the annotation `key`, what they are sorted by, then by id."""
    backwards = bool(before)
    mark = _read(before or after)
    down = descending != backwards
    if mark is not None:
        rows = rows.filter(_beyond(*mark, down))
    order = ["-key", "-pk"] if down else ["key", "pk"]
    found = list(rows.order_by(*order)[: size + 1])
    more, found = len(found) > size, found[:size]
    if backwards:
        found.reverse()
    if not found:
        return Page(found)
    has_before, has_after = (more, True) if backwards else (mark is not None, more)
    return Page(found, _mark(found[0]) if has_before else "", _mark(found[-1]) if has_after else "")


def capped_count(rows: QuerySet[Any], limit: int = COUNT_LIMIT) -> str:
    """How many, in words for a page; above the limit only that there are more."""
    count = rows.order_by().values("pk")[: limit + 1].count()
    return f"more than {limit:,}" if count > limit else f"{count:,}"


def _beyond(value: Any, pk: int, down: bool) -> Q:
    """Rows past a mark. The first condition alone lets the index be entered at the right place."""
    edge, past = ("key__lte", "key__lt") if down else ("key__gte", "key__gt")
    tie = "pk__lt" if down else "pk__gt"
    return Q(**{edge: value}) & (Q(**{past: value}) | Q(**{tie: pk}))


def _mark(row: Any) -> str:
    key = {"at": row.key.isoformat()} if isinstance(row.key, datetime) else row.key
    return base64.urlsafe_b64encode(json.dumps([key, row.pk]).encode()).decode().rstrip("=")


def _read(mark: str) -> tuple[Any, int] | None:
    """What a mark says; None when it is empty or was tampered with."""
    try:
        key, pk = json.loads(base64.urlsafe_b64decode(mark + "=" * (-len(mark) % 4)))
        if isinstance(key, dict):
            key = datetime.fromisoformat(key["at"])
        elif "\x00" in str(key):
            return None
        return key, int(pk)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
