"""A private server that died or hangs is started again while the portal runs."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from launcher import keeper, servers, where
from launcher.backoff import Backoff
from launcher.errors import CannotStart
from launcher.given import check_database, check_redis
from launcher.keeper import Keeper
from launcher.postgresql import PostgreSQL
from launcher.valkey import Valkey

PATIENCE = 90.0  # seconds, generous
Kind = type[PostgreSQL] | type[Valkey]


class Watched:
    """A server under a keeper, and what that said."""

    def __init__(self, kind: Kind, data: Path, *, hangs_after: float) -> None:
        self.kind, self.data = kind, data
        self.said: list[str] = []
        self.keeper = Keeper(kind, data, self.said.append, hangs_after)
        self.keeper.start()

    def pid(self) -> int:
        process = self.kind(self.data, for_tests=False).process()
        return process.pid if process else -1

    def send(self, number: signal.Signals) -> int:
        process = self.kind(self.data, for_tests=False).process()
        assert process
        process.send_signal(number)
        return int(process.pid)

    def until(self, what: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not what():
            assert time.monotonic() < deadline, self.said
            time.sleep(0.05)


@pytest.fixture
def watch(data: Path) -> Iterator[Callable[..., Watched]]:
    made: list[Watched] = []

    def start(kind: Kind, hangs_after: float = 60) -> Watched:
        made.append(Watched(kind, data, hangs_after=hangs_after))
        return made[-1]

    with servers.lease(data):
        yield start
        for each in made:
            each.keeper.stop()


@pytest.mark.parametrize("kind", [PostgreSQL, Valkey])
def test_one_that_was_killed_runs_again(watch: Callable[..., Watched], data: Path, kind: Kind) -> None:
    watched = watch(kind)
    killed = watched.send(signal.SIGKILL)

    watched.until(lambda: f"{kind.name} runs again" in watched.said)
    assert watched.pid() not in {-1, killed}
    assert watched.said[0] == f"{kind.name} ended; started again in 0.1 s"
    assert watched.keeper.status()["restarts"] == 1
    assert watched.keeper.status()["state"] == "running"
    check_database(where.database_url(data))
    check_redis(where.redis_url(data, 0))


@pytest.mark.parametrize("kind", [PostgreSQL, Valkey])
def test_one_that_hangs_is_killed_and_runs_again(
    watch: Callable[..., Watched], data: Path, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "ASKS_EVERY", 0.2)
    watched = watch(kind, hangs_after=1)
    hung = watched.send(signal.SIGSTOP)

    watched.until(lambda: f"{kind.name} runs again" in watched.said)
    assert watched.pid() not in {-1, hung}
    assert "did not react for 1 s" in watched.said[0]


def test_a_backend_that_is_killed_is_postgresqls_own_affair(watch: Callable[..., Watched], data: Path) -> None:
    """It restarts its processes by itself; a refusal meanwhile is a reaction."""
    watched = watch(PostgreSQL)
    before = watched.pid()
    backend = next(each for each in psutil.Process(before).children() if "writer" in " ".join(each.cmdline()))
    backend.kill()

    watched.until(lambda: PostgreSQL(data, for_tests=False).reacts())
    watched.until(lambda: PostgreSQL(data, for_tests=False)._answers())
    assert watched.pid() == before
    assert watched.said == []


def test_one_that_cannot_start_is_tried_again_until_it_can(
    watch: Callable[..., Watched], data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configuration = where.home(data) / "postgresql" / "postgresql.conf"
    good = configuration.read_text()
    watched = watch(PostgreSQL)
    configuration.write_text("no such setting\n")
    watched.send(signal.SIGKILL)

    watched.until(lambda: any("can't be started" in line and "syntax error" in line for line in watched.said))
    assert watched.keeper.status()["state"] == "restarting"
    configuration.write_text(good)
    watched.until(lambda: "PostgreSQL runs again" in watched.said)


def test_stopping_does_not_wait_for_the_next_try(watch: Callable[..., Watched], data: Path) -> None:
    watched = watch(PostgreSQL)
    watched.keeper._backoff = Backoff(first=600, longest=600)
    watched.send(signal.SIGKILL)
    watched.until(lambda: "PostgreSQL ended; started again in 600 s" in watched.said)

    watched.keeper.stop()
    assert watched.pid() == -1


@pytest.mark.parametrize("kind", [PostgreSQL, Valkey])
def test_a_start_that_hangs_can_be_called_off(data: Path, kind: Kind) -> None:
    with servers.lease(data):
        server = kind(data, for_tests=False)
        process = server.process()
        assert process
        process.suspend()
        threading.Timer(0.5, server.called_off.set).start()

        with pytest.raises(CannotStart, match="called off"):
            server.start()
        process.resume()
