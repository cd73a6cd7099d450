"""The journal of a merge for outsiders: one object per row, by pages, however many rows one step moved."""

from __future__ import annotations

import json
from functools import cache
from typing import Any
from urllib.parse import urlencode

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import connection
from rest_framework import serializers
from rest_framework.request import Request

from merging.handlers import SECTIONS, Outcome
from merging.models import Merge
from rest_contract import paging
from rest_contract.filters import read_query

COLUMNS = "e.position, e.chunk, u.place, e.section, e.model, u.pk, e.outcome, e.reason, e.before, e.after"


class ChangeSerializer(serializers.Serializer[Any]):
    """One row. `before` null: the merge added it; equal to `after`: it stayed, for the reason given."""

    section = serializers.ChoiceField(choices=list(SECTIONS))
    app = serializers.CharField()
    model = serializers.CharField()
    row_id = serializers.IntegerField()
    outcome = serializers.ChoiceField(choices=[outcome.value for outcome in Outcome])
    reason = serializers.CharField()
    before = serializers.DictField(allow_null=True)
    after = serializers.DictField()


class JournalPages(paging.CursorPages):
    """Pages over the steps of a journal and the rows in each."""

    def rows_of(self, merge: Merge, request: Request) -> list[dict[str, Any]]:
        read_query(request, {}, {})
        self.request, self.size = request, paging.page_size(request)
        raw = request.query_params.get("cursor")
        backward, place = _decode(raw) if raw else (False, None)
        found = _fetch(merge.pk, place, self.size + 1, backward)
        more, found = len(found) > self.size, found[: self.size]
        if backward:
            found.reverse()
        self.has_next, self.has_previous = (raw is not None, more) if backward else (more, raw is not None)
        self.places = [row[:3] for row in (found[0], found[-1])] if found else []
        return hide_others([_told(row) for row in found], request.user)

    def _link(self, edge: int, exists: bool) -> str | None:
        if not exists or not self.places:
            return None
        query = self.request.query_params.copy()
        query["cursor"] = paging.pack([int(edge == 0), *self.places[edge]])
        return f"{self.request.build_absolute_uri(self.request.path)}?{urlencode(list(query.items()))}"

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [one for one in super().get_schema_operation_parameters(view) if one["name"] != "ordering"]


def _decode(text: str) -> tuple[bool, list[int]]:
    found = paging.unpack(text)
    if not (isinstance(found, list) and len(found) == 4 and all(type(n) is int and 0 <= n < 2**31 for n in found)):
        raise paging.invalid_cursor()
    return bool(found[0]), found[1:]


def _fetch(merge_id: int, place: list[int] | None, limit: int, backward: bool) -> list[tuple[Any, ...]]:
    sign, direction = ("<", "DESC") if backward else (">", "ASC")
    beyond = f"AND (e.position, e.chunk, u.place) {sign} (%s, %s, %s)" if place else ""
    sql = f"""
        SELECT {COLUMNS}
        FROM merging_journalentry e, unnest(e.ids) WITH ORDINALITY u(pk, place)
        WHERE e.merge_id = %s {beyond}
        ORDER BY e.position {direction}, e.chunk {direction}, u.place {direction} LIMIT %s
    """  # noqa: S608 - made of our own words
    with connection.cursor() as cursor:
        cursor.execute(sql, [merge_id, *(place or ()), limit])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _told(row: tuple[Any, ...]) -> dict[str, Any]:
    _, _, _, section, label, pk, outcome, reason, before, after = row
    app, _, model = label.partition(".")
    return {
        "section": section,
        "app": app,
        "model": model,
        "row_id": pk,
        "outcome": outcome,
        "reason": reason,
        "before": _plain(before),
        "after": _plain(after) or {},
    }


def hide_others(changes: list[dict[str, Any]], actor: Any) -> list[dict[str, Any]]:
    """Null in place of accounts that the actor may not know of, such as others in a link group."""
    places = [
        (values, name)
        for change in changes
        for values in (change["before"] or {}, change["after"])
        for name in values
        if _may_name_account(f"{change['app']}.{change['model']}", name)
    ]
    named = {values[name] for values, name in places if values[name] is not None}
    if actor.is_superadmin or not named:
        return changes
    seen = set(get_user_model().objects.visible_to(actor).filter(pk__in=named).values_list("pk", flat=True))
    for values, name in places:
        if values[name] not in seen:
            values[name] = None
    return changes


@cache
def _may_name_account(label: str, name: str) -> bool:
    """Whether the column refers to accounts; of one that an upgrade removed, any id may."""
    try:
        found = {field.attname: field for field in apps.get_model(label)._meta.concrete_fields}.get(name)
    except LookupError:
        found = None
    return found.related_model is get_user_model() if found else name.endswith("_id")


def _plain(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
