"""Erasing a person, and purging what is out of time, by the registry."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import structlog
from django.db import transaction
from django.utils import timezone

from privacy.person import Person
from privacy.registry import Purge, lockers, personal_columns, purges

log = structlog.get_logger()


def lock_first(person: Person) -> None:
    """Take the locks that others take before those of accounts. The accounts' own are the caller's, after this."""
    for lock in lockers():
        lock(person)


def erase(person: Person) -> None:
    """Clear every personal column of the person, in the caller's transaction and under its locks.

    The statements follow the order in which apps are installed, so that two erasures lock rows in one order.
    """
    for line in personal_columns():
        line.erase(person, line.model_class, line.columns)


def purge_all() -> Iterator[tuple[Purge, int | None]]:
    """Run every purge, each in its own transaction; how many rows it cleared, None when it failed.

    One that fails is logged and tried again the next time; it keeps no other from its work.
    """
    now = timezone.now()
    for one in purges():
        yield one, _run(one, now)


def _run(one: Purge, now: datetime) -> int | None:
    try:
        with transaction.atomic():
            return one.run(now)
    except Exception:
        log.exception("purge_failed", purge=one.name)
        return None
