"""Keeps one private server up: alive and reacting, else started again."""

import contextlib
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from launcher import processes, servers, state, where
from launcher.backoff import Backoff
from launcher.errors import CannotStart
from launcher.postgresql import PostgreSQL
from launcher.valkey import Valkey

LOOKS_EVERY = 0.2  # seconds; whether its process lives
ASKS_EVERY = 3.0  # seconds; whether it reacts
ENDS_WITHIN = 2.0  # seconds, of a hung one

Say = Callable[[str], None]


class Keeper:
    """Watches from a thread of its own, since a start may take a minute (PostgreSQL replays its log)."""

    def __init__(self, kind: type[PostgreSQL] | type[Valkey], data: Path, say: Say, patience: float = 20) -> None:
        self.key = kind.name.lower()
        self._kind, self._data = kind, data
        self._server = self._make()
        self._home = where.home(data)
        self._say, self._patience = say, patience
        self._stopping = threading.Event()
        self._backoff = Backoff(first=0.1)
        self._process: psutil.Process | None = None
        self._thread = threading.Thread(target=self._run, name=f"keeper of {kind.name}", daemon=True)
        self._tell("running", restarts=0)
        self._started = self._reacted = self._asked = time.monotonic()

    def status(self) -> dict[str, Any]:
        """For the state file."""
        return self._status

    def start(self) -> None:
        """Watch, until `stop`."""
        self._thread.start()

    def _run(self) -> None:
        while not self._stopping.wait(LOOKS_EVERY):
            if not self._lives():
                self._restart("ended")
            elif self._hangs():
                self._restart(f"did not react for {self._patience:g} s")

    def stop(self) -> None:
        """Watch no longer; a start that goes on is called off."""
        self._stopping.set()
        self._server.called_off.set()
        self._thread.join()

    def _lives(self) -> bool:
        """Looks at the process that was found before: to search all processes takes its time."""
        if self._process is None or processes.is_zombie(self._process.pid) or not self._process.is_running():
            self._process = self._server.process()
        return self._process is not None

    def _hangs(self) -> bool:
        now = time.monotonic()
        if now - self._asked >= ASKS_EVERY:
            self._asked = now
            if self._server.reacts():
                self._reacted = time.monotonic()
        return self._asked - self._reacted > self._patience

    def _restart(self, why: str) -> None:
        wait = self._backoff.wait_after(time.monotonic() - self._started)
        self._tell("restarting", restarts=self._status["restarts"] + 1)
        self._say(f"{self._server.name} {why}; started again in {wait:g} s")
        if not self._stopping.wait(wait):
            self._start()

    def _start(self) -> None:
        self._server = self._make()
        if self._stopping.is_set():
            return
        try:
            with servers.alone(self._home):
                self._end_hung()
                self._server.start()
        except (CannotStart, OSError) as problem:
            if not self._stopping.is_set():
                self._say(f"{self._server.name} can't be started: {problem}")
            return
        self._started = self._reacted = self._asked = time.monotonic()
        self._tell("running", restarts=self._status["restarts"])
        self._say(f"{self._server.name} runs again")

    def _end_hung(self) -> None:
        """One that died needs nothing here; one that somebody else started meanwhile reacts."""
        process = self._server.process()
        if process and not self._server.reacts():
            with contextlib.suppress(psutil.Error):
                processes.end([process], signal.SIGQUIT, ENDS_WITHIN)

    def _tell(self, word: str, restarts: int) -> None:
        self._status: dict[str, Any] = {"state": word, "restarts": restarts, "since": state.now()}

    def _make(self) -> PostgreSQL | Valkey:
        return self._kind(self._data, for_tests=False)
