"""Which errors mean that the database can't do it now, so that REST and pages both answer 503 and never 500."""

from __future__ import annotations

from typing import Final

import psycopg2
from django.db import DatabaseError, InterfaceError, OperationalError, ProgrammingError
from django.http import HttpResponse

RETRY_AFTER: Final = 2  # seconds
# Another holds the lock, two waited for each other, or it took too long.
BUSY: Final = frozenset({"55P03", "40P01", "40001", "57014"})
RAISED_BY_OURS: Final = "P0"  # the class of RAISE EXCEPTION without a code: a rule of ours that a trigger keeps
LOST_INSIDE: Final = "Cannot open a new connection in an atomic block."


def is_outage(error: BaseException | None) -> bool:
    """Whether the database failed, rather than refused: gone, starting, full, read-only, out of connections, too slow.

    The error is Django's, or psycopg2's own where a cursor was used directly.
    """
    if isinstance(error, OperationalError | InterfaceError):
        return True
    if isinstance(error, ProgrammingError):
        return str(error) == LOST_INSIDE
    raw = error.__cause__ if isinstance(error, DatabaseError) else error
    return isinstance(raw, psycopg2.Error) and _is_failure(raw)


def is_busy(error: BaseException) -> bool:
    """Whether another's work was in the way: the same again, a moment later, may well do."""
    return sqlstate(error) in BUSY


def sqlstate(error: BaseException) -> str:
    """PostgreSQL's code for the error; empty when the connection died before it could say one."""
    raw = error if isinstance(error, psycopg2.Error) else error.__cause__
    return str(getattr(raw, "pgcode", "") or "")


def come_back(page: HttpResponse) -> HttpResponse:
    """The page as a refusal for now alone: 503 with Retry-After, as REST says it."""
    page.status_code = 503
    page["Retry-After"] = str(RETRY_AFTER)
    return page


def _is_failure(error: psycopg2.Error) -> bool:
    """A bare DatabaseError is what psycopg2 makes of an answer that broke off, InternalError of a read-only server."""
    if isinstance(error, psycopg2.InternalError):
        return not sqlstate(error).startswith(RAISED_BY_OURS)
    return (
        isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError) or type(error) is psycopg2.DatabaseError
    )
