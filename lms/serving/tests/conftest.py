"""Web servers as the Procfile starts them."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.client import HTTPResponse
from pathlib import Path
from urllib.parse import quote

import pytest
from django.db import connection

from launcher.where import ROOT

Server = Callable[..., int]


def web_command() -> str:
    """The Procfile is the truth about commands."""
    lines = (ROOT / "Procfile").read_text().splitlines()
    return next(line.partition(":")[2].strip() for line in lines if line.startswith("web:"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Web:
    """A running web server."""

    def __init__(self, command: str, **environment: str) -> None:
        self.port = free_port()
        programs = Path(sys.executable).parent
        settings = {"BIND_ADDRESS": f"127.0.0.1:{self.port}", "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
        self.process = subprocess.Popen(
            ["sh", "-c", command],
            cwd=ROOT,
            env=os.environ | settings | environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + 40
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, http.client.HTTPException):
                self.get("/")
                return
            assert self.process.poll() is None, self.process.stderr and self.process.stderr.read()
            time.sleep(0.1)
        raise AssertionError("it doesn't answer")

    def call(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b"", timeout: float = 30
    ) -> HTTPResponse:
        """One request on a connection of its own; the answer is read."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body or None, {"Host": "localhost", **(headers or {})})
            answer = connection.getresponse()
            answer.text = answer.read().decode()  # type: ignore[attr-defined]
            return answer
        finally:
            connection.close()

    def get(self, path: str, timeout: float = 10, **headers: str) -> tuple[int, bytes, float]:
        """Status, body and seconds of a request on a connection of its own."""
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("GET", path, headers={"Host": "localhost", **headers})
            answer = connection.getresponse()
            return answer.status, answer.read(), time.monotonic() - began
        finally:
            connection.close()

    def open(self, data: bytes = b"") -> socket.socket:
        """A connection on which `data` was sent."""
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # so that the system keeps little of an answer
        client.settimeout(20)
        client.connect(("127.0.0.1", self.port))
        client.sendall(data)
        return client

    def stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.communicate()


@pytest.fixture(scope="module")
def small() -> Iterator[Web]:
    """The Procfile's server with the small application: two processes of two threads."""
    command = web_command().replace("lms.wsgi", "lms.serving.tests.application")
    web = Web(command, WEB_WORKERS="2", WEB_THREADS="2")
    try:
        web.wait_until_it_answers()
        yield web
    finally:
        web.stop()


@pytest.fixture
def portal(transactional_db: None, tmp_path: Path) -> Iterator[Callable[..., Web]]:
    """Starts the whole portal on the tests' database, as the Procfile says."""
    running: list[Web] = []

    def start(**environment: str) -> Web:
        given = {"DATABASE_URL": test_database(), "SECRET_KEY": "for-tests", "ALLOWED_HOSTS": "*"}
        web = Web(web_command(), **given, **environment)
        running.append(web)
        web.wait_until_it_answers()
        return web

    yield start
    for web in running:
        web.stop()


def test_database() -> str:
    """The address of the database that this test uses."""
    found = connection.settings_dict
    host = quote(found["OPTIONS"].get("host") or found["HOST"], safe="")
    return f"postgresql://{found['USER']}:{found['PASSWORD']}@/{found['NAME']}?host={host}"


test_database.__test__ = False  # type: ignore[attr-defined]
