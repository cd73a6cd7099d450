"""One process of the portal that is kept running: started again when it ended or fell silent."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from launcher import state
from launcher.backoff import Backoff
from launcher.child import Child

STARTS_WITHIN = 90.0  # seconds until the first sign of life
ONE_LOOK = 1.0  # seconds of silence that a single look can count


@dataclass(frozen=True)
class Watch:
    """How a hung process is known. `signs`: whether it gave a sign of life since the last call.

    `patience`: seconds of silence that are borne. `advice`: what may help when it ends again and again.
    """

    signs: Callable[[], bool]
    patience: float
    advice: Callable[[], str] = lambda: ""


class Kept:
    """`look` moves it on: call it often. Without a `watch` only its end is noticed."""

    def __init__(
        self, name: str, begin: Callable[[], Child], say: Callable[[str], None], watch: Watch | None = None
    ) -> None:
        self.name = name
        self.child: Child | None = None
        self._restarts, self._since = 0, state.now()
        self._begin, self._say, self._watch = begin, say, watch
        self._backoff = Backoff()
        self._started = self._next = 0.0
        self._silence = self._looked = 0.0

    def status(self) -> dict[str, Any]:
        """For the state file."""
        word = "running" if self.child else "restarting"
        return {"state": word, "restarts": self._restarts, "since": self._since}

    def look(self) -> None:
        """Start it when its time has come, notice its end, end it when it hangs."""
        if self.child is None:
            if time.monotonic() >= self._next:
                self._start()
        elif self.child.has_ended():
            self._plan_restart(self.child.clear())
        elif self._watch and self._is_silent(self._watch):
            self._say(f"{self.name} gave no sign of life for {self._watch.patience:g} s and is killed")
            self.child.kill()
            self._silence = 0.0

    def _start(self) -> None:
        self._started = self._looked = time.monotonic()
        self._silence = min(self._watch.patience - STARTS_WITHIN, 0) if self._watch else 0
        self.child = self._begin()
        self._since = state.now()

    def _plan_restart(self, how: str) -> None:
        wait = self._backoff.wait_after(time.monotonic() - self._started)
        self.child, self._next = None, time.monotonic() + wait
        self._restarts += 1
        self._since = state.now()
        self._say(f"{self.name} ended ({how}); started again in {wait:g} s{self._help()}")

    def _help(self) -> str:
        """From the third time in a row on it won't heal by itself."""
        if self._backoff.failures < 3:
            return ""
        advice = self._watch.advice() if self._watch else ""
        return f". {self._backoff.failures} times in a row: {advice or 'its own lines above say why.'}"

    def _is_silent(self, watch: Watch) -> bool:
        """Counts the time that we watched: a launcher or machine that slept says nothing about the process."""
        now = time.monotonic()
        self._silence += min(now - self._looked, ONE_LOOK)
        self._looked = now
        if watch.signs():
            self._silence = 0.0
        return self._silence > watch.patience
