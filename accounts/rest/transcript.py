"""Everything an account holds, by kind. Each app registers its resources; rows are the same objects as there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request

from accounts.rest.owned import ReadableOwnedRows
from rest_contract.filters import flag, read_query

HISTORY = OpenApiParameter("history", bool, description="adds historical and superseded rows")


@dataclass(frozen=True)
class Kind:
    """One kind in the transcript. `current` tells the rows that count; a ledger is told with its balance."""

    view: type[ReadableOwnedRows]
    current: Q
    is_ledger: bool


_kinds: dict[str, Kind] = {}


def register(key: str, view: type[ReadableOwnedRows], current: Q | None = None, *, is_ledger: bool = False) -> None:
    """Put a resource into transcripts under this key."""
    _kinds[key] = Kind(view, current or Q(), is_ledger)


def kinds() -> Mapping[str, Kind]:
    return _kinds


def read_history(request: Request) -> bool:
    """Whether `?history=true` was asked for."""
    asked: bool = read_query(request, {"history": flag(lambda rows, value: rows)}, {}).get("history", False)
    return asked


def transcript_of(user_id: int, request: Request, history: bool) -> dict[str, Any]:
    """One query per kind, and those that its rows need, whatever their number."""
    return {key: _told(kind, user_id, request, history) for key, kind in _kinds.items()}


def _told(kind: Kind, user_id: int, request: Request, history: bool) -> Any:
    view = kind.view(request=request, action="list", format_kwarg=None, args=(), kwargs={})
    rows = kind.view.model._default_manager.filter(user=user_id)
    shown = view.show(list((rows if history else rows.filter(kind.current)).order_by("id")))
    if not kind.is_ledger:
        return shown
    return {"balance": sum(entry["amount"] for entry in shown), "entries": shown}


class TranscriptSerializer(serializers.Serializer[Any]):
    """For the schema: the same objects as the resources give."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {key: _ledger(key, kind) if kind.is_ledger else _rows(kind) for key, kind in _kinds.items()}


def _rows(kind: Kind) -> serializers.Field[Any, Any, Any, Any]:
    assert kind.view.serializer_class is not None  # noqa: S101 - every resource names its serializer
    rows: Any = kind.view.serializer_class(many=True)
    return rows  # type: ignore[no-any-return]


def _ledger(key: str, kind: Kind) -> serializers.Serializer[Any]:
    members = {"balance": serializers.IntegerField(), "entries": _rows(kind)}
    ledger: serializers.Serializer[Any] = type(f"{key.title()}LedgerSerializer", (serializers.Serializer,), members)()
    return ledger
