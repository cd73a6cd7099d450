"""The private Redis: a Valkey server on a socket, for Celery's hints and the cache."""

import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import psutil

from launcher import processes, where
from launcher.account import Account
from launcher.errors import CannotStart
from launcher.logs import last_lines, open_log

PROGRAM = "valkey-server"
READY_WITHIN = 60  # seconds
STOPPED_WITHIN = 10
DATABASES = 32 * where.SHARE


class Valkey:
    """The server in `home/redis`. It keeps nothing on disk: what it holds are hints, and sweeps find their work."""

    name = "Redis"

    def __init__(self, data: Path, *, for_tests: bool) -> None:
        self.home = where.home(data)
        self.folder = self.home / "redis"
        self.socket = where.redis_socket(data)
        self.for_tests = for_tests
        self.account = Account.of(self.home)
        self.started: subprocess.Popen[bytes] | None = None
        self.called_off = threading.Event()  # set by another thread: whoever starts it needn't wait

    def process(self) -> psutil.Process | None:
        """The living server of this folder."""
        found = processes.all_in(self.folder, PROGRAM)
        return found[0] if found else None

    def start(self) -> None:
        """Start it unless it runs, and return when it answers."""
        deadline = time.monotonic() + READY_WITHIN
        while not self._answers():
            if self.called_off.is_set():
                raise CannotStart("The start was called off.")
            if self._is_gone():
                self._start_once()
            elif time.monotonic() > deadline:
                raise CannotStart(f"Redis does not answer. {last_lines(self.home, 'redis')}")
            time.sleep(0.02)

    def reacts(self) -> bool:
        """Whether it isn't hung: while it loads its file it refuses, which is a reaction too."""
        return self._reply() != b""

    def stop(self) -> None:
        """Write what is pending and stop."""
        process = self.process()
        if process:
            processes.end([process], signal.SIGTERM, STOPPED_WITHIN)

    def _command(self) -> list[str | Path]:
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "databases": str(DATABASES),
            "maxmemory-policy": "noeviction",
            # Hints need no disk: a full one, or a save that fails, must not make it refuse writes.
            "save": "",
            "appendonly": "no",
            "stop-writes-on-bgsave-error": "no",
        }
        command: list[str | Path] = [self.account.programs.valkey]
        for name, value in settings.items():
            command += [f"--{name}", value]
        return command

    def _is_gone(self) -> bool:
        return self.started.poll() is not None if self.started else self.process() is None

    def _start_once(self) -> None:
        if self.started:
            raise CannotStart(f"Redis did not start. {last_lines(self.home, 'redis')}")
        self.account.own_folder(self.socket.parent)
        self.account.own_folder(self.folder)
        self.socket.unlink(missing_ok=True)
        with open_log(self.home, "redis", self.account) as log:
            self.started = self.account.start(self._command(), log, dies_with_us=self.for_tests)

    def _answers(self) -> bool:
        """While it loads its file it replies, but not with PONG."""
        return self._reply().startswith(b"+PONG")

    def _reply(self) -> bytes:
        """Speaks the protocol itself."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(5)
            try:
                line.connect(str(self.socket))
                line.sendall(b"PING\r\n")
                return line.recv(64)
            except OSError:
                return b""
