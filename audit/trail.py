"""What one request showed and refused, noted where it is known and written once, at its end, by TrailMiddleware.

Reads and refusals change nothing, so there is no transaction of an act that their entry could belong to; and what is
noted inside a transaction that is taken back must stay. Outside a request (tasks, commands) nothing is noted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Note:
    """One entry to be: `detail` holds ids, numbers, codes and field names, as every entry's."""

    action: str
    subject_id: int | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Trail:
    """The notes of one request."""

    reads: list[Note] = field(default_factory=list)
    exports: list[Note] = field(default_factory=list)
    refusals: list[Note] = field(default_factory=list)


_current: ContextVar[Trail | None] = ContextVar("audit_trail", default=None)


@contextmanager
def kept() -> Iterator[Trail]:
    """Keep the notes of what happens inside."""
    trail = Trail()
    token = _current.set(trail)
    try:
        yield trail
    finally:
        _current.reset(token)


def seen(subject_id: int | None, **detail: Any) -> None:
    """The caller is shown data of this account. Written when the page is, unless the account is the caller's own."""
    _note("reads", Note("data.viewed", subject_id, detail))


def listed(rows: int) -> None:
    """The caller is shown a list of people's data, of so many rows."""
    if rows:
        _note("reads", Note("data.listed", None, {"rows": rows}))


def exported(**detail: Any) -> None:
    """The caller downloads a file of people's data."""
    _note("exports", Note("data.exported", None, detail))


def refused(action: str, subject_id: int | None = None, **detail: Any) -> None:
    """Something was refused for a reason that the status of the answer doesn't tell."""
    _note("refusals", Note(action, subject_id, detail))


@contextmanager
def attempt(action: str, subject_id: int | None, **detail: Any) -> Iterator[None]:
    """Note the refusal of what is tried inside: any error with a `code`. Put it outside the transaction of the act."""
    try:
        yield
    except Exception as error:
        code = getattr(error, "code", None)
        if isinstance(code, str) and code:
            refused(action, subject_id, code=code, **detail)
        raise


def _note(kind: str, note: Note) -> None:
    trail = _current.get()
    notes: list[Note] = getattr(trail, kind) if trail is not None else []
    if note not in notes:
        notes.append(note)
