"""The portal that is tormented: started by the launcher as a person would, on a data folder and a port of its own."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import psycopg2

from launcher import processes, servers, state, where
from launcher.given import connection_arguments
from launcher.portal import MARK
from launcher.postgresql import PostgreSQL
from launcher.valkey import Valkey

HOST = "127.0.0.1"
GIVEN = (
    "DATABASE_URL",
    "DATABASE_OWNER_URL",
    "REDIS_URL",
    "BIND",
    "REDIS_SHARE",
    "PYTEST_XDIST_WORKER",
    "ALLOWED_HOSTS",
)
PASSWORD = "Chaos-and-0rder"  # nosec B105  (of accounts that live for this run)
SETTINGS = {
    "DEMO": "0",
    "RATE_LIMIT_TOKEN": "0",
    "RATE_LIMIT_ANONYMOUS": "0",
    "WATCHDOG_SECONDS": "10",
    "CHAOS_PASSWORD": PASSWORD,
}
STARTS_WITHIN = 300.0  # seconds; a first start makes the cluster and all tables
OWN = {"gunicorn": "web", "worker": "worker", "beat": "beat"}


class NotBack(Exception):
    """The portal did not come back in time."""


class Portal:
    """Start, look at and stop it; `log` keeps what it prints."""

    def __init__(self, folder: Path, *, groups: int, pairs: int) -> None:
        folder.chmod(0o755)  # the servers' account must enter
        self.data, self.log = folder / "data", folder / "portal.log"
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            self.port = int(probe.getsockname()[1])
        own = {"DATA_DIR": str(self.data), "PORT": str(self.port), "BIND": HOST}
        sizes = {"CHAOS_GROUPS": str(groups), "CHAOS_PAIRS": str(pairs)}
        kept = {name: value for name, value in os.environ.items() if name not in GIVEN}
        self.environment = kept | SETTINGS | own | sizes
        self.launcher: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it is ready. Raises NotBack."""
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "launcher", "run"]
            self.launcher = subprocess.Popen(
                command, cwd=where.ROOT, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self.wait_until_ready(STARTS_WITHIN)

    def stop(self) -> None:
        """As Ctrl-C does; whatever is left is killed."""
        if self.launcher:
            self.launcher.terminate()
            try:
                self.launcher.wait(60)
            except subprocess.TimeoutExpired:
                self.launcher.kill()
                self.launcher.wait()
        processes.end(list(processes.marked(MARK, str(self.data))), signal.SIGKILL, 1)
        servers.stop(self.data)

    def cast(self) -> dict[str, Any]:
        """Accounts, tokens and courses for the load."""
        code = Path(__file__).with_name("cast.py").read_text()
        said = self.manage("shell", "--no-imports", "-c", code).stdout
        found: dict[str, Any] = json.loads(said.splitlines()[-1])
        return found

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command beside it."""
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(
            command, cwd=where.ROOT, env=self.environment, capture_output=True, text=True, check=False, timeout=600
        )

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows, read beside it as the owner."""
        connection = psycopg2.connect(**connection_arguments(where.owner_url(self.data)))
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(sql)
                return list(cursor.fetchall())
        finally:
            connection.close()

    def parts(self) -> dict[str, psutil.Process]:
        """The launcher's processes by name, and the servers; those that live."""
        found: dict[str, psutil.Process] = {}
        for process in processes.marked(MARK, str(self.data)):
            name = self._name(process)
            if name and self.launcher and process.ppid() == self.launcher.pid:
                found[name] = process
        database, redis = PostgreSQL(self.data, for_tests=False).process(), Valkey(self.data, for_tests=False).process()
        return found | ({"postgresql": database} if database else {}) | ({"redis": redis} if redis else {})

    def _name(self, process: psutil.Process) -> str:
        try:
            words = process.cmdline()
        except psutil.Error:
            return ""
        return next((name for word, name in OWN.items() if word in words), "")

    def is_ready(self) -> bool:
        """Ready for requests, and every part runs."""
        states = state.read(self.data)
        whole = states is not None and all(each["state"] == "running" for each in states.values())
        return whole and self._status("/ready/") in {200, 404} and self._status("/health/") == 200

    def wait_until_ready(self, within: float, settled_for: float = 1.0) -> float:
        """Seconds until it was ready for good, which it must show for a moment. Raises NotBack."""
        begun = ready_since = time.monotonic()
        while True:
            now = time.monotonic()
            if not self.is_ready():
                ready_since = time.monotonic()
            elif now - ready_since >= settled_for:
                return ready_since - begun
            if now - begun > within + settled_for:
                raise NotBack(f"The portal wasn't ready within {within:g} s; its log: {self.log}")
            time.sleep(0.1)

    def _status(self, path: str) -> int:
        line = http.client.HTTPConnection(HOST, self.port, timeout=5)
        try:
            line.request("GET", path, headers={"Host": f"localhost:{self.port}"})
            return line.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            line.close()


def until(what: Callable[[], object], within: float) -> bool:
    """Whether it became true in time."""
    ends = time.monotonic() + within
    while not (done := what()) and time.monotonic() < ends:
        time.sleep(0.2)
    return bool(done)


def fresh_folder() -> Path:
    """One that another account can enter, also when root runs this."""
    return Path(tempfile.mkdtemp(prefix="lms-chaos-")).resolve()
