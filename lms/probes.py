"""Questions to servers that may not answer: asked in a thread of their own, waited for a moment only."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import structlog

log = structlog.get_logger(__name__)
PATIENCE = 0.6  # seconds that all probes of one request are waited for together
FRESH = 0.5  # seconds for which an answer is given again, so that many who ask cost no more than one
UNANSWERED = object()
FAILED = object()


class Probe:
    """One question, asked by one thread at a time however many requests wait for the answer."""

    def __init__(self, name: str, ask: Callable[[], Any]) -> None:
        self.name, self.ask = name, ask
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._asked_at: float | None = None
        self._answer: Any = UNANSWERED

    def start(self) -> None:
        """Ask, unless the question is open or was answered just now."""
        with self._lock:
            now = time.monotonic()
            is_open = self._asked_at is not None and not self._done.is_set()
            if is_open or (self._asked_at is not None and now - self._asked_at < FRESH):
                return
            self._asked_at = now
            self._done.clear()
        threading.Thread(target=self._run, name=f"probe {self.name}", daemon=True).start()

    def forget(self) -> None:
        """Ask anew next time."""
        self.__init__(self.name, self.ask)  # type: ignore[misc]

    def answer(self, seconds: float) -> Any:
        """What the server said within that time, FAILED otherwise. A question that is open for longer isn't waited for."""
        asked_at = self._asked_at or 0.0
        left = min(seconds, asked_at + PATIENCE - time.monotonic())
        if not self._done.is_set() and (left <= 0 or not self._done.wait(left)):
            return FAILED
        return self._answer

    def _run(self) -> None:
        try:
            self._answer = self.ask()
        except Exception:
            log.exception("health_check_failed", check=self.name)
            self._answer = FAILED
        finally:
            self._done.set()


def ask_all(probes: Sequence[Probe]) -> list[Any]:
    """The answers, all of them within PATIENCE."""
    deadline = time.monotonic() + PATIENCE
    for probe in probes:
        probe.start()
    return [probe.answer(max(0.0, deadline - time.monotonic())) for probe in probes]
