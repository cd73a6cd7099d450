"""Events leave the portal. The outbox and the deliveries are the queue; this only looks at them."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from celery import shared_task
from django.db import connection

from integrations import delivering

SECONDS = 2  # a receiver that hangs costs a few more, and then it is the turn of other work
LOCK = 5_206_301  # any number that nothing else locks


@shared_task
def deliver() -> None:
    """Turn waiting events into deliveries and try what is due, for a while and by one worker at a time.

    Receivers may be slow or gone: they must not keep workers from merging and issuing.
    """
    with _alone() as may_go:
        if not may_go:
            return
        while delivering.take_events():
            pass
        end = monotonic() + SECONDS
        while delivering.deliver_round(end) and monotonic() < end:
            pass


@contextmanager
def _alone() -> Iterator[bool]:
    """An advisory lock of this connection: it goes with the worker that dies."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        has_it = bool(cursor.fetchone()[0])
        try:
            yield has_it
        finally:
            if has_it:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
