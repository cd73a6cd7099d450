"""A database of one's own, and honest ways to take the time."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any


@contextmanager
def database() -> Iterator[None]:
    """A private PostgreSQL with an empty, migrated database; gone afterwards."""
    from launcher.pytest_plugin import test_servers

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lms.settings")
    with test_servers():
        import django

        django.setup()
        from django.db import connection

        name = connection.settings_dict["NAME"]
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        try:
            yield
        finally:
            connection.creation.destroy_test_db(name, verbosity=0)


def seconds(act: Callable[[], Any]) -> float:
    """How long it takes, once; as timeit does it, without Python's garbage collector, whose turn may fall anywhere."""
    gc.disable()
    try:
        started = time.perf_counter()
        act()
        return time.perf_counter() - started
    finally:
        gc.enable()


def statements(act: Callable[[], Any]) -> int:
    """How many statements it sends."""
    from django.db import connection

    count = 0

    def counting(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal count
        count += 1
        return execute(sql, params, many, context)

    with connection.execute_wrapper(counting):
        act()
    return count


def settle() -> None:
    """Bring statistics, visibility and memory up to date, so that no run pays for another."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")
    gc.collect()


def middle(times: list[float]) -> float:
    return median(times)


def table(title: str, head: list[str], rows: list[list[str]]) -> None:
    """Print as Markdown."""
    print(f"\n### {title}\n\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for row in rows:
        print(f"| {' | '.join(row)} |")
    print(flush=True)
