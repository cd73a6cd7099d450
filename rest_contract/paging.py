"""Pages by cursor: the place after the last row seen, so that any depth costs the same and no row is met twice."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import F, Field, Model, OrderBy, Q, QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from rest_contract.problems import Invalid, Problem, field_error

SIZE, LARGEST = 100, 500


@dataclass(frozen=True)
class Cursor:
    """Where a page starts: the ordering value and id of the row before it, and the direction of the walk."""

    ordering: str
    backward: bool
    value: Any
    pk: int

    def encode(self) -> str:
        return pack([self.ordering, int(self.backward), self.value, self.pk])

    @classmethod
    def decode(cls, text: str, ordering: str) -> Cursor:
        parts = unpack(text)
        if not isinstance(parts, list) or len(parts) != 4:
            raise invalid_cursor()
        found, backward, value, pk = parts
        if found != ordering or backward not in (0, 1) or type(pk) is not int or not 0 <= pk < 2**63:
            raise invalid_cursor()
        return cls(ordering, bool(backward), value, pk)


def pack(parts: list[Any]) -> str:
    """A place as a word for addresses."""
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def unpack(text: str) -> Any:
    """The contrary of `pack`; what it holds may be forged."""
    try:
        return json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        raise invalid_cursor() from None


def invalid_cursor() -> Problem:
    """The answer to a place that no page of this list gave."""
    detail = "This cursor doesn't belong to this list."
    return Problem(404, "invalid_cursor", detail, errors=[field_error("cursor", "invalid_cursor", detail)])


class CursorPages(BasePagination):
    """`next`, `previous` and `results`; `?page_size=` up to 500; `?ordering=` one of the view's orderings."""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        self.request = request
        self.size = page_size(request)
        self.ordering = request.query_params.get("ordering") or view.default_ordering
        raw = request.query_params.get("cursor")
        cursor = Cursor.decode(raw, self.ordering) if raw else None
        backward = cursor is not None and cursor.backward
        walk = _Walk(queryset.model, view.orderings.get(self.ordering.lstrip("-"), "id"), self.ordering, backward)
        rows = list(walk.after(queryset, cursor)[: self.size + 1])
        more, rows = len(rows) > self.size, rows[: self.size]
        if backward:
            rows.reverse()
        self.has_next, self.has_previous = (cursor is not None, more) if backward else (more, cursor is not None)
        self.edges = [(walk.value_of(row), row.pk) for row in (rows[0], rows[-1])] if rows else []
        return rows

    def get_paginated_response(self, data: Any) -> Response:
        return Response(
            {"next": self._link(-1, self.has_next), "previous": self._link(0, self.has_previous), "results": data}
        )

    def _link(self, edge: int, exists: bool) -> str | None:
        if not exists or not self.edges:
            return None
        value, pk = self.edges[edge]
        query = self.request.query_params.copy()
        query["cursor"] = Cursor(self.ordering, edge == 0, value, pk).encode()
        return f"{self.request.build_absolute_uri(self.request.path)}?{urlencode(list(query.items()))}"

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        names = [sign + name for name in view.orderings for sign in ("", "-")]
        size = {"type": "integer", "minimum": 1, "maximum": LARGEST, "default": SIZE}
        return [
            _parameter("cursor", "from `next` or `previous` of another page", {"type": "string"}),
            _parameter("page_size", "rows per page", size),
            _parameter("ordering", "what the list is sorted by", {"type": "string", "enum": names}),
        ]


def _parameter(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


def page_size(request: Request) -> int:
    raw = request.query_params.get("page_size", str(SIZE))
    if not (raw.isascii() and raw.isdigit() and len(raw) < 6 and 1 <= int(raw) <= LARGEST):
        raise Invalid(field_error("page_size", "invalid", f"Give a number from 1 to {LARGEST}."))
    return int(raw)


class _Walk:
    """Rows in one order, from a place on. Empty values come last, ids decide between equal ones."""

    def __init__(self, model: type[Model], column: str, ordering: str, backward: bool) -> None:
        self.column = column
        self.field: Field[Any, Any] = model._meta.pk if column == "id" else model._meta.get_field(column)  # type: ignore[assignment]
        self.descending = ordering.startswith("-") != backward
        self.empty_last = not backward

    def order(self) -> Sequence[OrderBy]:
        place = {"nulls_last": True} if self.empty_last else {"nulls_first": True}
        nulls = place if self.field.null else {}
        first = OrderBy(F(self.column), descending=self.descending, **nulls)
        last = OrderBy(F("pk"), descending=self.descending)
        return (last,) if self.column == "id" else (first, last)

    def after(self, rows: QuerySet[Any], cursor: Cursor | None) -> QuerySet[Any]:
        ordered = rows.order_by(*self.order())
        return ordered.filter(self._beyond(cursor)) if cursor else ordered

    def _beyond(self, cursor: Cursor) -> Q:
        sign = "lt" if self.descending else "gt"
        beyond_id = Q(**{f"pk__{sign}": cursor.pk})
        if self.column == "id":
            return beyond_id
        empty = Q(**{f"{self.column}__isnull": True})
        if cursor.value is None:
            beyond = empty & beyond_id
            return beyond if self.empty_last else beyond | ~empty
        value = self._value(cursor)
        beyond = Q(**{f"{self.column}__{sign}": value}) | Q(**{self.column: value}) & beyond_id
        return beyond | empty if self.field.null and self.empty_last else beyond

    def _value(self, cursor: Cursor) -> Any:
        try:
            value = self.field.to_python(cursor.value)
        except Exception:  # a forged cursor may hold anything that JSON can
            raise invalid_cursor() from None
        if (isinstance(value, str) and "\x00" in value) or isinstance(cursor.value, list | dict):
            raise invalid_cursor()
        return value

    def value_of(self, row: Any) -> Any:
        value = None if self.column == "id" else getattr(row, self.field.attname)
        return (
            value
            if value is None or isinstance(value, int)
            else str(value)
            if not hasattr(value, "isoformat")
            else value.isoformat()
        )
