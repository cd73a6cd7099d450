"""The private servers of one data folder, running for as long as somebody uses them.

Everybody who needs them holds a lease: a shared lock on one file, which the kernel drops when its
holder dies. The last one to leave stops them. Starts and stops happen one at a time.
"""

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from launcher import where
from launcher.errors import CannotStart
from launcher.folders import make_folder
from launcher.postgresql import PostgreSQL
from launcher.valkey import Valkey

ENOUGH_SPACE = 200_000_000  # bytes; an empty portal takes about 80 MB

Say = Callable[[str], None]


def not_given() -> list[type[PostgreSQL] | type[Valkey]]:
    """The servers that this environment leaves to us."""
    servers: list[type[PostgreSQL] | type[Valkey]] = []
    if not os.environ.get("DATABASE_URL"):
        servers.append(PostgreSQL)
    if not os.environ.get("REDIS_URL"):
        servers.append(Valkey)
    return servers


@contextlib.contextmanager
def lease(data: Path, *, for_tests: bool = False, say: Say = lambda _: None) -> Iterator[None]:
    """Have the private servers of `data` running inside the `with`.

    Says something only when there is something to wait for. Raises CannotStart.
    """
    kinds = not_given()
    if not kinds:
        yield
        return
    prepare(data)
    home = where.home(data)
    with _open(home / "in-use.lock") as in_use:
        try:
            with alone(home):
                fcntl.flock(in_use, fcntl.LOCK_SH)
                for kind in kinds:
                    _start(kind(data, for_tests=for_tests), say)
            yield
        finally:
            with alone(home):
                if _try_lock(in_use):
                    stop(data, for_tests=for_tests)


def stop(data: Path, *, for_tests: bool = False) -> None:
    """Stop the servers of `data`, whoever uses them."""
    for kind in (Valkey, PostgreSQL):
        kind(data, for_tests=for_tests).stop()


def prepare(data: Path) -> None:
    """Make the data folder and the servers' home in it; refuse what can't be written."""
    home = where.home(data)
    _refuse_broken_link(data / "servers")
    try:
        make_folder(data)
        make_folder(home)
        with tempfile.TemporaryFile(dir=data), tempfile.TemporaryFile(dir=home):
            pass
        _link(data / "servers", home)
    except OSError as error:
        raise CannotStart(
            f"{error.filename or data} can't be written: {error.strerror}. Choose another folder with DATA_DIR."
        ) from error
    _refuse_full_disk(home)


def _refuse_broken_link(link: Path) -> None:
    if link.is_symlink() and not link.exists():
        raise CannotStart(
            f"{link} points to {link.readlink()}, which is gone. Bring it back, or remove the link to start empty."
        )


def _link(link: Path, home: Path) -> None:
    """Servers outside the data folder leave a link there, which also settles the place for good."""
    if not link.exists():
        with contextlib.suppress(FileExistsError):  # another start was faster
            link.symlink_to(home)


def _refuse_full_disk(home: Path) -> None:
    free = os.statvfs(home)
    if free.f_bavail * free.f_frsize < ENOUGH_SPACE:
        raise CannotStart(f"The disk of {home} is full: less than {ENOUGH_SPACE // 1_000_000} MB are free.")


def _start(server: PostgreSQL | Valkey, say: Say) -> None:
    if server.process() is None:
        say(f"Starting {server.name}")
    server.start()


@contextlib.contextmanager
def alone(home: Path) -> Iterator[None]:
    """Nobody else starts or stops these servers meanwhile."""
    with _open(home / "start.lock") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _open(path: Path) -> Iterator[int]:
    """A lock file; locks need no right to write, so another account can share it."""
    file = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        yield file
    finally:
        os.close(file)


def _try_lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
