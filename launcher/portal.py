"""The whole portal in the foreground: servers, tables, demo data, then web, worker and beat."""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg2

from launcher import exposed, given, processes, servers, where
from launcher.address import Address
from launcher.errors import CannotStart
from launcher.supervision import Setting, patience, supervised
from launcher.terminal import Terminal

MARK = "LMS_PORTAL"  # in the environment of the portal's processes, so that strays are found
# What is as it should be here: root on a trial machine, static files served from their sources.
HUSHED = "ignore:You're running the worker with superuser,ignore:No directory at"


def run() -> None:
    """Run the portal until a signal stops it. Raises CannotStart."""
    data = where.data_dir()
    address = Address.chosen()
    patience()  # refuses a bad one before anything takes time
    servers.prepare(data)
    with _the_only_one(data):
        _clear_strays(data)
        address.refuse_taken()
        _check_what_is_given()
        with servers.lease(data, say=say):
            _prepare_database(data, address)
            _serve(data, address)


def say(what: str) -> None:
    """One step of the start, for the person who waits."""
    print(f"» {what}", flush=True)


def environment(data: Path) -> dict[str, str]:
    """For the portal's own commands: the data folder as a full path, our Python's programs first."""
    programs = Path(sys.executable).parent
    return os.environ | {
        "DATA_DIR": str(data),
        "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PYTHONUNBUFFERED": "1",
    }


@contextlib.contextmanager
def _the_only_one(data: Path) -> Iterator[None]:
    """Two portals on one data folder would start two beats; several copies need several folders."""
    with (data / "portal.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CannotStart(
                f"The portal of {data} already runs. Stop it, or choose another folder with DATA_DIR and another PORT."
            ) from error
        yield


def _clear_strays(data: Path) -> None:
    """Web and workers that a killed launcher left behind."""
    strays = [process for process in processes.marked(MARK, str(data)) if process.pid != os.getpid()]
    if strays:
        say(f"Ending {len(strays)} processes that an earlier run left behind")
        processes.end(strays, signal.SIGTERM, patience=5)


def _check_what_is_given() -> None:
    if database := os.environ.get("DATABASE_URL"):
        given.check_database(database)
        given.check_database(where.owner_url(where.data_dir()), "DATABASE_OWNER_URL")
    if redis := os.environ.get("REDIS_URL"):
        given.check_redis(redis)


def _prepare_database(data: Path, address: Address) -> None:
    say("Bringing the tables up to date")
    _manage(data, "migrate", "--no-input", "-v", "1")
    if os.environ.get("DEMO", "1") != "0" and _has_no_users(data):
        if address.is_public:
            exposed.refuse_to_load_demo()
        say("Loading the demo data, this first time alone")
        _manage(data, "demo")
    elif address.is_public:
        exposed.refuse_demo_password(environment(data))


def _has_no_users(data: Path) -> bool:
    connection = psycopg2.connect(**given.connection_arguments(where.owner_url(data)))
    with contextlib.closing(connection), connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM accounts_user)")
        return bool(cursor.fetchone() == (False,))


def _manage(data: Path, *arguments: str) -> None:
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(command, cwd=where.ROOT, env=environment(data), start_new_session=True, check=False)
    if done.returncode:
        raise CannotStart(f"`manage.py {arguments[0]}` failed, see above. The portal was not started.")


def _serve(data: Path, address: Address) -> None:
    """Until a signal ends it."""
    say("Starting web, worker and beat")
    terminal = Terminal()
    try:
        with supervised(Setting(data, address, _marked(data, address), terminal)) as supervisor:
            _greet_later(data, address, terminal)
            try:
                supervisor.run()
            finally:
                terminal.say("Stopping")
    finally:
        terminal.close()
        processes.end(list(processes.marked(MARK, str(data))), signal.SIGKILL, patience=1)


def _marked(data: Path, address: Address) -> dict[str, str]:
    return environment(data) | {
        MARK: str(data),
        "BIND_ADDRESS": address.bind,
        "PORT": str(address.port),
        "PORTAL_URL": os.environ.get("PORTAL_URL") or address.url.rstrip("/"),  # for links in mails
        "PYTHONWARNINGS": os.environ.get("PYTHONWARNINGS") or HUSHED,
    }


def _demo_sign_ins(data: Path) -> str:
    """Marked as ours: still running when the portal stops, it would hold the servers."""
    command = [sys.executable, "manage.py", "demo", "--sign-ins"]
    known = environment(data) | {MARK: str(data)}
    done = subprocess.run(command, cwd=where.ROOT, env=known, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _greet_later(data: Path, address: Address, terminal: Terminal) -> None:
    threading.Thread(target=_greet, args=(data, address, terminal), name="greeting", daemon=True).start()


def _greet(data: Path, address: Address, terminal: Terminal) -> None:
    """Say where the portal is once it answers."""
    sign_ins = _demo_sign_ins(data)
    while not address.answers():
        time.sleep(0.1)
    terminal.line("\n".join(_greeting(address, sign_ins)))


def _greeting(address: Address, sign_ins: str) -> Sequence[str]:
    lines = ["", f"  The portal runs at {address.url}"]
    lines += [f"  {line}" for line in sign_ins.splitlines()]
    if address.is_public:
        lines += [f"  {line}" for line in exposed.advice_on_hosts(address.url)]
    return [*lines, "  Ctrl-C stops it.", ""]
