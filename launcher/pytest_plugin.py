"""Gives the tests their own PostgreSQL and Redis, never a running portal's.

Loaded by pytest.ini. Each run takes a slot, a data folder of its own in `.test-data/`, so that
several runs in one checkout don't meet. With DATABASE_URL or REDIS_URL given, that one is used.
"""

import atexit
import contextlib
import fcntl
import os
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from launcher import servers, where
from launcher.errors import CannotStart

SLOTS = 16
_running = contextlib.ExitStack()


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(args: list[str]) -> Generator[None]:
    """Before Django reads its settings."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker:
        os.environ["REDIS_SHARE"] = str(int(worker.removeprefix("gw")) + 1)
    elif not {"--help", "-h", "--version", "-V"} & set(args):
        try:
            _running.enter_context(test_servers())
        except CannotStart as problem:
            pytest.exit(f"The tests need their servers. {problem}", returncode=4)
        atexit.register(_running.close)
    return (yield)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Leave no process behind."""
    _running.close()


@contextlib.contextmanager
def test_servers() -> Iterator[Path]:
    """The servers of a free slot; `DATA_DIR` points to it."""
    with _free_slot(where.ROOT / ".test-data") as data:
        os.environ["DATA_DIR"] = str(data)
        os.environ["DATABASE_ROLE"] = "owner"  # test databases are made, emptied and dropped
        with servers.lease(data, for_tests=True):
            yield data
        _remove_what_lies_outside(data)


@contextlib.contextmanager
def _free_slot(root: Path) -> Iterator[Path]:
    for number in range(1, SLOTS + 1):
        data = root / str(number)
        servers.prepare(data)
        with (data / "slot.lock").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            yield data
            return
    raise CannotStart(f"{SLOTS} test runs are already going on in {root}.")


def _remove_what_lies_outside(data: Path) -> None:
    """A checkout can be thrown away; nothing of its tests may stay elsewhere."""
    home = where.home(data)
    if not home.is_relative_to(data):
        shutil.rmtree(home)
        (data / "servers").unlink()
