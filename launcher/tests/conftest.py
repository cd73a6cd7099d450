"""Folders and programs that the launcher's tests share."""

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

GIVEN = ("DATABASE_URL", "REDIS_URL", "DATA_DIR", "PORT", "BIND", "REDIS_SHARE", "PYTEST_XDIST_WORKER")


@pytest.fixture(autouse=True)
def nothing_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start from an environment that says nothing, whatever this test run was given."""
    for name in GIVEN:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def data() -> Iterator[Path]:
    """A data folder that the servers' account can enter, also when root runs the tests."""
    folder = Path(tempfile.mkdtemp(prefix="lms-test-")).resolve()
    folder.chmod(0o755)
    yield folder
    servers.stop(folder)
    shutil.rmtree(where.socket_dir(folder), ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


Starter = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(data: Path) -> Iterator[Starter]:
    """Start our Python on some arguments, on that data folder; killed at the end."""
    started = []

    def starter(*arguments: str, **variables: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=where.ROOT,
            env=os.environ | {"DATA_DIR": str(data)} | variables,
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
