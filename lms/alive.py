"""Signs of life of the worker and beat, for whoever supervises them: our launcher, or systemd with `WatchdogSec=`."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import structlog
from celery import bootsteps
from celery.beat import Scheduler
from celery.worker.consumer import Consumer
from celery.worker.state import maybe_shutdown

log = structlog.get_logger(__name__)

UNASKED = 10.0  # seconds between two signs when nobody says how many


def tell() -> None:
    """One sign, when somebody listens; never waits and never fails."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if not path:
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.setblocking(False)
        line.sendto(b"WATCHDOG=1", path.replace("@", "\0", 1) if path.startswith("@") else path)


def every() -> float:
    """Seconds between two signs: a third of the silence that is borne."""
    borne = os.environ.get("WATCHDOG_USEC", "")
    return int(borne) / 3_000_000 if borne.isascii() and borne.isdigit() else UNASKED


class WorkerSigns(bootsteps.StartStopStep):  # type: ignore[misc]  # untyped there
    """From the worker's main loop, so that one whose loop hangs falls silent; busy tasks don't touch it."""

    requires = {"celery.worker.components:Timer"}

    def start(self, parent: Any) -> None:
        """Every few seconds from now on."""
        tell()
        parent.timer.call_repeatedly(every(), tell)


class PatientConsumer(Consumer):  # type: ignore[misc]  # untyped there
    """Comes back within seconds of its broker, and gives signs of life while it waits for it."""

    def ensure_connected(self, conn: Any) -> Any:
        """The same connection, once it is open."""
        return await_broker(conn, self._waiting)

    def _waiting(self) -> None:
        tell()
        maybe_shutdown()


class MemoryScheduler(Scheduler):  # type: ignore[misc]  # untyped there
    """Keeps nothing on disk, so nothing there can stop beat; when it starts, everything is due once.

    All entries are sweeps that look for work and do no harm when there is none.
    """

    def setup_schedule(self) -> None:
        """Else what is due once a day never ran in a portal that is restarted every day."""
        super().setup_schedule()
        for entry in self.schedule.values():
            entry.last_run_at -= timedelta(days=366)

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Seconds until the next one; each is a sign of life."""
        tell()
        return min(float(super().tick(*args, **kwargs)), every())

    def _ensure_connected(self) -> Any:
        return await_broker(self.connection, tell)


def await_broker(conn: Any, waiting: Callable[[], None]) -> Any:
    """Open the connection, however long it takes: Celery's own way waits up to 30 s between tries and ends after 100."""
    return conn.ensure_connection(
        _refused, max_retries=None, interval_start=0.5, interval_step=0.5, interval_max=2, callback=waiting
    )


def _refused(problem: Exception, interval: float) -> None:
    log.warning("broker_unreachable", problem=str(problem), next_try_in=interval)
