"""Servers that are given: what can't work is refused in words."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from launcher import given, servers, where
from launcher.errors import CannotStart

PATIENCE = 10  # seconds


def message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


@pytest.fixture
def server_of_version() -> Iterator[Callable[[str], int]]:
    """A server that greets like a PostgreSQL of some version; gives its port."""
    standing: list[tuple[threading.Thread, socket.socket]] = []

    def serve(version: str) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        listener.settimeout(PATIENCE)
        thread = threading.Thread(target=greet, args=(listener, version), daemon=True)
        standing.append((thread, listener))
        thread.start()
        return int(listener.getsockname()[1])

    yield serve
    for thread, listener in standing:
        thread.join(PATIENCE)  # first, or it would read from a line that is closed under its hands
        listener.close()


def greet(listener: socket.socket, version: str) -> None:
    line, _ = listener.accept()
    with line:
        if line.recv(1024)[4:8] == struct.pack("!I", 80877103):  # asks for encryption
            line.sendall(b"N")
            line.recv(1024)
        parameters = {
            "server_version": version,
            "client_encoding": "UTF8",
            "DateStyle": "ISO, MDY",
            "standard_conforming_strings": "on",
        }
        greeting = message(b"R", struct.pack("!I", 0))
        for name, value in parameters.items():
            greeting += message(b"S", f"{name}\0{value}\0".encode())
        line.sendall(greeting + message(b"Z", b"I"))
        line.recv(1024)


def test_it_refuses_a_postgresql_that_is_too_old(server_of_version: Callable[[str], int]) -> None:
    port = server_of_version("13.22")

    with pytest.raises(CannotStart, match="PostgreSQL 13, which is too old: 14 or newer is needed"):
        given.check_database(f"postgresql://lms@127.0.0.1:{port}/lms")


def test_it_accepts_the_oldest_that_works(server_of_version: Callable[[str], int]) -> None:
    port = server_of_version("14.0")

    given.check_database(f"postgresql://lms@127.0.0.1:{port}/lms")

    assert port


def test_it_accepts_its_own_private_servers(data: Path) -> None:
    with servers.lease(data, for_tests=True):
        given.check_database(where.database_url(data))
        given.check_redis(where.redis_url(data, 0))

    with pytest.raises(CannotStart):
        given.check_redis(where.redis_url(data, 0))


def test_it_refuses_a_postgresql_that_is_not_there(free_port: int) -> None:
    with pytest.raises(CannotStart, match="PostgreSQL can't be reached at DATABASE_URL") as refusal:
        given.check_database(f"postgresql://lms:very-secret@127.0.0.1:{free_port}/portal")

    assert f"127.0.0.1:{free_port}/portal" in str(refusal.value)
    assert "very-secret" not in str(refusal.value)


def test_it_refuses_a_redis_that_is_not_there(free_port: int) -> None:
    with pytest.raises(CannotStart, match="Redis can't be reached at REDIS_URL"):
        given.check_redis(f"redis://127.0.0.1:{free_port}/0")


@pytest.mark.parametrize("url", ["http://localhost", "redis:/"])
def test_it_refuses_what_is_no_redis_url(url: str) -> None:
    with pytest.raises(CannotStart, match="Redis can't be reached at REDIS_URL"):
        given.check_redis(url)


@pytest.mark.parametrize("url", ["sqlite:///portal.sqlite3", "mysql://localhost/lms", "portal"])
def test_it_refuses_other_databases(url: str) -> None:
    with pytest.raises(CannotStart, match="must begin with postgresql://"):
        given.check_database(url)


def test_it_refuses_a_port_that_is_no_number() -> None:
    with pytest.raises(CannotStart, match="port that isn't a number"):
        given.check_database("postgresql://localhost:five/lms")


@pytest.mark.parametrize(
    ("url", "arguments"),
    [
        ("postgres://db.example.org/lms", {"host": "db.example.org", "dbname": "lms"}),
        ("postgresql://u:p%40ss@db:5433/lms", {"host": "db", "port": 5433, "user": "u", "password": "p@ss"}),
        ("psql://u@//run/postgresql/lms", {"host": "/run/postgresql", "user": "u", "dbname": "lms"}),
        ("pgsql://u@/lms?host=%2Frun&sslmode=require", {"host": "/run", "sslmode": "require", "dbname": "lms"}),
        ("postgres:///lms?CONN_MAX_AGE=5", {"dbname": "lms"}),
    ],
)
def test_it_reads_every_form_of_an_url(url: str, arguments: dict[str, object]) -> None:
    read = given.connection_arguments(url)

    assert read.items() >= arguments.items()
    assert "CONN_MAX_AGE" not in read
