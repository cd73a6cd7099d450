"""Previews of large accounts keep the database and a thread busy: few run at once, and one per person."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.conf import settings
from django.db import OperationalError, connection, transaction

from merging.errors import PreviewsAreBusy
from rest_contract.outages import sqlstate

# Any two numbers that nothing else locks: one for people, one for the places that all share.
PEOPLE: Final = 5_206_302
PLACES: Final = 5_206_303
PATIENCE: Final = "150ms"  # for each of the two; whoever waits holds a thread that lighter pages need
LOCK_TIMEOUT: Final = "55P03"


@contextmanager
def in_turn(actor_id: int) -> Iterator[None]:
    """One transaction for reading alone that has a place; its statements end after PREVIEW_SECONDS.

    The places are advisory locks of the transaction, so they go with a process that dies. They keep nobody from
    writing. Raises PreviewsAreBusy.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{PATIENCE}'")
        _lock(cursor, PEOPLE, actor_id, "Another preview of yours is still running. Try again in a moment.")
        _take_place(cursor, actor_id)
        cursor.execute("SET LOCAL lock_timeout = DEFAULT")
        cursor.execute(f"SET LOCAL statement_timeout = '{settings.PREVIEW_SECONDS}s'")
        yield


def _take_place(cursor: Any, actor_id: int) -> None:
    """A free one, else the one that falls to this person."""
    places: int = settings.PREVIEW_PLACES
    if not places:
        return  # no limit
    for place in range(places):
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [PLACES, place])
        if cursor.fetchone()[0]:
            return
    _lock(cursor, PLACES, actor_id % places, PreviewsAreBusy.detail)


def _lock(cursor: Any, kind: int, number: int, refusal: str) -> None:
    try:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [kind, number % 2**31])
    except OperationalError as error:
        if sqlstate(error) == LOCK_TIMEOUT:
            raise PreviewsAreBusy(refusal) from error
        raise
