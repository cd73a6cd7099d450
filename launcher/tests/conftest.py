"""Folders and programs that the launcher's tests share."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from launcher import servers, where

GIVEN = (
    "DATABASE_URL",
    "DATABASE_OWNER_URL",
    "DATABASE_ROLE",
    "REDIS_URL",
    "DATA_DIR",
    "PORT",
    "BIND",
    "REDIS_SHARE",
    "PYTEST_XDIST_WORKER",
)


@pytest.fixture(autouse=True)
def nothing_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start from an environment that says nothing, whatever this test run was given."""
    for name in GIVEN:
        monkeypatch.delenv(name, raising=False)


@contextlib.contextmanager
def data_folder() -> Iterator[Path]:
    """One that the servers' account can enter, also when root runs the tests."""
    folder = Path(tempfile.mkdtemp(prefix="lms-test-")).resolve()
    folder.chmod(0o755)
    yield folder
    servers.stop(folder)
    shutil.rmtree(where.socket_dir(folder), ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def model() -> Iterator[Path]:
    """A data folder whose tables are up to date, made once."""
    with data_folder() as folder:
        environment = {name: value for name, value in os.environ.items() if name not in GIVEN}
        migrate = [sys.executable, "manage.py", "migrate", "-v", "0"]
        subprocess.run(migrate, cwd=where.ROOT, env=environment | {"DATA_DIR": str(folder)}, check=True)
        yield folder


@pytest.fixture
def empty() -> Iterator[Path]:
    """A data folder where nothing was ever started."""
    with data_folder() as folder:
        yield folder


@pytest.fixture
def data(empty: Path, model: Path) -> Path:
    """A data folder that was used before; nothing runs on it."""
    subprocess.run(["cp", "-a", f"{model}/.", empty], check=True)
    return empty


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


Starter = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(empty: Path) -> Iterator[Starter]:
    """Start our Python on some arguments, on that data folder; killed at the end."""
    started = []

    def starter(*arguments: str, **variables: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=where.ROOT,
            env=os.environ | {"DATA_DIR": str(empty)} | variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield starter
    for process in started:
        process.kill()
        process.communicate()
