"""The private PostgreSQL: made once, started, looked after, stopped."""

import contextlib
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import psutil
import psycopg2

from launcher import processes, where
from launcher.account import Account
from launcher.errors import CannotStart
from launcher.logs import last_lines, open_log

PROGRAM = "postgres"
READY_WITHIN = 120  # seconds; after a crash it replays its log first
STOPPED_WITHIN = 60

SETTINGS = {
    "listen_addresses": "",
    "port": str(where.POSTGRES_PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "client_connection_check_interval": "1s",  # a killed web process doesn't stop its statement
    "log_min_error_statement": "panic",  # a failing statement would bring people's values into the log,
    "log_error_verbosity": "terse",  # and its detail too
    "log_timezone": "UTC",
    "timezone": "UTC",
}
CARELESS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "idle_in_transaction_session_timeout": "60s",  # what a test left open must not hold up the next one for ever
}


class PostgreSQL:
    """The cluster in `home/postgresql`, reached by the socket of `data`.

    `for_tests` makes it fast: what it holds is lost when the machine crashes.
    """

    name = "PostgreSQL"

    def __init__(self, data: Path, *, for_tests: bool) -> None:
        self.home = where.home(data)
        self.cluster = self.home / "postgresql"
        self.sockets = where.socket_dir(data)
        self.url = where.database_url(data)
        self.for_tests = for_tests
        self.account = Account.of(self.home)
        self.started: subprocess.Popen[bytes] | None = None
        self.called_off = threading.Event()  # set by another thread: whoever starts it needn't wait

    def process(self) -> psutil.Process | None:
        """The living postmaster of this cluster."""
        return processes.alive(self._pid(), PROGRAM, self.cluster)

    def start(self) -> None:
        """Make the cluster if there is none, and return when it answers."""
        deadline = time.monotonic() + READY_WITHIN
        while not self._answers():
            if self.called_off.is_set():
                raise CannotStart("The start was called off.")
            if self._is_gone():
                self._start_once()
            elif time.monotonic() > deadline:
                raise CannotStart(f"PostgreSQL does not answer. {last_lines(self.home, 'postgresql')}")
            time.sleep(0.02)
        self._make_application_role()

    def reacts(self) -> bool:
        """Whether it isn't hung: a refusal, as while it recovers, is a reaction too."""
        try:
            psycopg2.connect(self.url, connect_timeout=5).close()
        except psycopg2.OperationalError as error:
            return "FATAL" in str(error)
        return True

    def stop(self) -> None:
        """Disconnect everybody and stop; the cluster is clean afterwards."""
        process = self.process()
        if process:
            processes.end([process], signal.SIGINT, STOPPED_WITHIN)

    def _make_cluster(self) -> None:
        """Beside its place first, so that an interrupted start leaves no half a cluster."""
        fresh = self.home / "postgresql.new"
        shutil.rmtree(fresh, ignore_errors=True)
        self.account.own_folder(fresh)
        programs = self.account.programs.postgresql
        self.account.run([programs / "initdb", *self._initdb_options(), "-D", fresh])
        create = f"CREATE DATABASE {where.DATABASE};\n"
        self.account.run([programs / "postgres", "--single", "-D", fresh, "postgres"], feed=create)
        fresh.rename(self.cluster)

    def _make_application_role(self) -> None:
        """Clusters of earlier releases lack it. What it may do is granted when the tables are brought up to date."""
        with contextlib.closing(psycopg2.connect(self.url, connect_timeout=5)) as line, line, line.cursor() as cursor:
            cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", [where.APPLICATION_USER])
            if cursor.rowcount == 0:
                cursor.execute(f"CREATE ROLE {where.APPLICATION_USER} LOGIN")

    def _initdb_options(self) -> list[str]:
        """The builtin locale sorts alike on every machine, whatever its C library does next year."""
        options = [
            f"--username={where.DATABASE_OWNER}",
            "--auth=trust",  # the socket's folder is closed to others
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--no-instructions",
        ]
        return [*options, "--no-sync"] if self.for_tests else options

    def _refuse_other_version(self) -> None:
        made_by = (self.cluster / "PG_VERSION").read_text().strip()
        brought = self._program_version()
        if made_by != brought:
            raise CannotStart(
                f"The data in {self.cluster} is PostgreSQL {made_by}'s and this portal brings {brought}. "
                'See "Upgrade" in docs/operations.md.'
            )

    def _program_version(self) -> str:
        command = [str(self.account.programs.postgresql / PROGRAM), "--version"]
        said = subprocess.run(command, capture_output=True, text=True, check=True)
        return str(said.stdout).split()[-1].split(".")[0]

    def _clear_what_died(self) -> None:
        """After a SIGKILL: its children first, or they and a new server would write the same files."""
        processes.end(processes.all_in(self.cluster, PROGRAM), signal.SIGQUIT, patience=5)
        (self.cluster / "postmaster.pid").unlink(missing_ok=True)
        for left in self.sockets.glob(f".s.PGSQL.{where.POSTGRES_PORT}*"):
            left.unlink()

    def _is_gone(self) -> bool:
        """A server that was just killed may look alive for a moment, so this is asked again and again."""
        return self.started.poll() is not None if self.started else self.process() is None

    def _start_once(self) -> None:
        if self.started:
            raise CannotStart(f"PostgreSQL did not start. {last_lines(self.home, 'postgresql')}")
        if not self.cluster.exists():
            self._make_cluster()
        self._refuse_other_version()
        self._clear_what_died()
        self._start()

    def _start(self) -> None:
        self.account.own_folder(self.sockets)
        command: list[str | Path] = [self.account.programs.postgresql / PROGRAM, "-D", self.cluster]
        settings = SETTINGS | (CARELESS if self.for_tests else {})
        quoted = str(self.sockets).replace('"', '""')
        settings["unix_socket_directories"] = f'"{quoted}"'
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with open_log(self.home, "postgresql", self.account) as log:
            self.started = self.account.start(command, log, dies_with_us=self.for_tests)

    def _answers(self) -> bool:
        with contextlib.suppress(psycopg2.OperationalError):
            psycopg2.connect(self.url, connect_timeout=5).close()
            return True
        return False

    def _pid(self) -> int | None:
        try:
            return int((self.cluster / "postmaster.pid").read_text().split("\n")[0])
        except (OSError, ValueError):
            return None
