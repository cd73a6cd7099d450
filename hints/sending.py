"""Sends a task's name and ids to the broker after the commit. Swallows every error, and soon stops trying."""

from __future__ import annotations

import threading
import time
from typing import Any, Final

import structlog
from celery import current_app
from django.db import transaction
from kombu.pools import producers

log = structlog.get_logger(__name__)

TIMEOUT: Final = 0.1  # seconds; a broker that is slower than this is taken for gone
PAUSE: Final = 5.0  # seconds without another try after a failure
# kombu's own intervals make a try last 6 seconds.
PATIENCE: Final = {
    "socket_timeout": TIMEOUT,
    "socket_connect_timeout": TIMEOUT,
    "connect_retries_timeout": TIMEOUT,
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
}


def send(task: str, *ids: int | str) -> None:
    """After the commit, have a worker run `task`, named in full, with these ids. Raises nothing.

    Lost when the broker doesn't take it at once; the sweep of that kind of work finds what is left undone.
    """
    try:
        transaction.on_commit(lambda: _send(task, ids))
    except Exception as error:
        _note(task, error)  # to ask for the commit needs a connection, which may have died since


class Breaker:
    """Remembers that the broker failed. While it is in doubt, one thread tries per PAUSE and the others don't wait."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failed = False
        self._next_try = 0.0

    def lets_through(self) -> bool:
        """Whether to try now; in doubt, the first to ask has the try of this pause."""
        if not self._failed:
            return True
        with self._lock:
            if time.monotonic() < self._next_try:
                return False
            self._next_try = time.monotonic() + PAUSE
            return True

    def note(self, *, failed: bool) -> None:
        """What came of a try."""
        with self._lock:
            self._failed = failed
            if failed:
                self._next_try = time.monotonic() + PAUSE


breaker = Breaker()


def _send(task: str, ids: tuple[int | str, ...]) -> None:
    if not breaker.lets_through():
        return
    try:
        with _producer() as producer:
            current_app.send_task(task, ids, producer=producer, ignore_result=True)
    except Exception as error:
        breaker.note(failed=True)
        _note(task, error)
    else:
        breaker.note(failed=False)


def _producer() -> Any:
    """A producer with a connection of this process that hints alone use: workers need more patience than pages."""
    connection = current_app.connection_for_write(transport_options=PATIENCE)
    return producers[connection].acquire(block=True, timeout=TIMEOUT)


def _note(task: str, error: Exception) -> None:
    """Names the task and the kind of error: arguments and addresses stay out of the log."""
    log.warning("hint_lost", task=task, error=type(error).__name__)
