"""One running process of the portal, with everything that it started."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import psutil

from launcher import processes, where
from launcher.terminal import Terminal

TETHER = Path(__file__).with_name("tether.py")
ORPHANS_END_WITHIN = 1.0  # seconds; they hold the port that the next one needs


class Child:
    """A command in a session of its own, so that a Ctrl-C reaches the launcher alone."""

    def __init__(self, name: str, command: str, environment: Mapping[str, str], terminal: Terminal) -> None:
        tether = [sys.executable, "-I", "-S", str(TETHER), str(os.getpid())]
        self._popen = subprocess.Popen(
            [*tether, "/bin/sh", "-c", command],
            cwd=where.ROOT,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        if self._popen.stdout:
            terminal.follow(name, self._popen.stdout)

    @property
    def pid(self) -> int:
        return self._popen.pid

    def has_ended(self) -> bool:
        """Without reaping it: until then nobody else can get its number, which is also its session's."""
        return processes.is_zombie(self.pid)

    def ask_to_end(self) -> None:
        """Politely; one that is stopped (SIGSTOP) must be continued to hear it."""
        self._signal(signal.SIGTERM)
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """The process and everything in its session."""
        for process in [*self._session(), *self._itself()]:
            with contextlib.suppress(psutil.Error):
                process.kill()

    def clear(self) -> str:
        """After its end: end what it left behind, and say how it ended."""
        processes.end(self._session(), signal.SIGTERM, ORPHANS_END_WITHIN)
        code = self._popen.wait(ORPHANS_END_WITHIN)
        return f"signal {-code}" if code < 0 else f"exit status {code}"

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def _itself(self) -> list[psutil.Process]:
        try:
            return [psutil.Process(self.pid)]
        except psutil.NoSuchProcess:
            return []

    def _session(self) -> list[psutil.Process]:
        """What it started and what lives; not itself."""
        return [process for process in processes.in_session(self.pid) if process.pid != self.pid]
