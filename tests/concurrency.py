"""Two at once, for tests: real connections, real transactions, and no sleeping where the database can be asked."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import connection, transaction

Result = TypeVar("Result")


def apart(work: Callable[[], Result]) -> Callable[[], Result]:
    """In another thread, on a connection of its own that is closed again."""

    def run() -> Result:
        try:
            return work()
        finally:
            connection.close()

    return run


def wait_until_blocked(future: Future[Any]) -> None:
    """Until somebody waits for a lock in the database."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and not future.done():
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.02)
    raise AssertionError("It didn't wait.")


@contextmanager
def before_commit(work: Callable[[], object]) -> Iterator[None]:
    """The work is done, its locks are held, and nobody else sees it yet."""
    with transaction.atomic():
        work()
        yield


_inherited: list[Any] = []


def forget_inherited_connection() -> None:
    """In a forked process: leave a connection that the parent has open to it, and open another when one is needed."""
    _inherited.append(connection.connection)  # kept, since its end would end the parent's session
    connection.connection = None
