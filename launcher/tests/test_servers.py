"""The private servers: one of each, for as long as somebody uses them, whatever was killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import psycopg2
import pytest

from launcher import processes, servers, where
from launcher.account import Account, Programs
from launcher.errors import CannotStart
from launcher.postgresql import PostgreSQL
from launcher.tests.conftest import Starter
from launcher.valkey import Valkey

HOLD = """
import sys
from launcher import servers, where
from launcher.postgresql import PostgreSQL
with servers.lease(where.data_dir()):
    print(PostgreSQL(where.data_dir(), for_tests=False).process().pid, flush=True)
    sys.stdin.read()
"""


def running(data: Path) -> list[psutil.Process]:
    """Every process of both servers, children too."""
    home = where.home(data)
    return [
        *processes.all_in(home / "postgresql", "postgres"),
        *processes.all_in(home / "redis", "valkey-server"),
    ]


def query(data: Path, sql: str) -> list[tuple[object, ...]]:
    connection = psycopg2.connect(where.database_url(data))
    with connection, connection.cursor() as cursor:
        cursor.execute(sql)
        rows = cursor.fetchall() if cursor.description else []
    connection.close()
    return rows


def test_eight_starts_at_once_get_one_server(start: Starter, empty: Path) -> None:
    holders = [start("-c", HOLD) for _ in range(8)]
    postmasters = {holder.stdout.readline() for holder in holders if holder.stdout}

    assert len(postmasters) == 1
    assert len(processes.all_in(where.home(empty) / "redis", "valkey-server")) == 1
    for holder in holders[1:]:
        holder.communicate()
    assert query(empty, "SELECT 1") == [(1,)]

    holders[0].communicate()
    assert running(empty) == []


def test_it_makes_what_the_portal_counts_on(empty: Path) -> None:
    with servers.lease(empty):
        settings = query(
            empty,
            "SELECT current_setting('fsync'), current_setting('client_connection_check_interval'),"
            " current_setting('listen_addresses'), datlocprovider::text, datlocale"
            " FROM pg_database WHERE datname = current_database()",
        )
        assert settings == [("on", "1s", "", "b", "C.UTF-8")]
        assert (where.socket_dir(empty).stat().st_mode & 0o777) == 0o700


def test_its_redis_needs_no_disk_and_never_drops_a_key(data: Path) -> None:
    import redis

    with servers.lease(data):
        client = redis.Redis.from_url(where.redis_url(data, 0))
        client.set("hint", "1")
        wanted = {
            "maxmemory-policy": "noeviction",
            "save": "",
            "appendonly": "no",
            "stop-writes-on-bgsave-error": "no",
        }
        assert client.config_get(*wanted) == wanted
        client.close()
    assert list((where.home(data) / "redis").iterdir()) == []


def test_tests_get_a_faster_postgresql(data: Path) -> None:
    with servers.lease(data, for_tests=True):
        assert query(data, "SELECT current_setting('fsync'), current_setting('synchronous_commit')") == [("off", "off")]


def test_it_keeps_the_data_between_two_runs(data: Path) -> None:
    with servers.lease(data):
        query(data, "CREATE TABLE kept (number int)")
    with servers.lease(data):
        assert query(data, "SELECT count(*) FROM kept") == [(0,)]


def test_it_comes_back_after_everything_was_killed(start: Starter, data: Path) -> None:
    holder = start("-c", HOLD)
    assert holder.stdout
    holder.stdout.readline()
    query(data, "CREATE TABLE kept (number int)")
    processes.end([psutil.Process(holder.pid), *running(data)], signal.SIGKILL, patience=5)
    assert (where.home(data) / "postgresql" / "postmaster.pid").exists()

    with servers.lease(data):
        assert query(data, "SELECT count(*) FROM kept") == [(0,)]


def test_it_is_not_fooled_by_a_zombie(data: Path) -> None:
    """Killed while we, its parent, haven't noticed yet: the pid is still taken."""
    server = PostgreSQL(data, for_tests=True)
    servers.prepare(data)
    server.start()
    assert server.started
    os.kill(server.started.pid, signal.SIGKILL)
    while psutil.Process(server.started.pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)

    second = PostgreSQL(data, for_tests=True)
    assert second.process() is None
    second.start()
    assert query(data, "SELECT 1") == [(1,)]
    second.stop()
    server.started.wait()


def test_it_is_not_fooled_by_a_pid_that_is_somebody_elses_now(data: Path) -> None:
    with servers.lease(data):
        pass
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    (where.home(data) / "postgresql" / "postmaster.pid").write_text(f"{stranger.pid}\n")

    with servers.lease(data):
        assert query(data, "SELECT 1") == [(1,)]
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_it_finds_the_servers_of_a_killed_holder_and_stops_them_at_the_end(start: Starter, data: Path) -> None:
    holder = start("-c", HOLD)
    assert holder.stdout
    pid = int(holder.stdout.readline())
    holder.kill()
    holder.wait()

    with servers.lease(data):
        found = PostgreSQL(data, for_tests=False).process()
        assert found
        assert found.pid == pid
    assert running(data) == []


def test_it_starts_again_after_an_interrupted_first_start(empty: Path) -> None:
    servers.prepare(empty)
    half = where.home(empty) / "postgresql.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")

    with servers.lease(empty, for_tests=True):
        assert query(empty, "SELECT 1") == [(1,)]


def test_it_says_what_it_starts_and_nothing_when_there_is_nothing_to_start(data: Path) -> None:
    said: list[str] = []
    with servers.lease(data, for_tests=True, say=said.append), servers.lease(data, for_tests=True, say=said.append):
        assert said == ["Starting PostgreSQL", "Starting Redis"]


def test_it_starts_nothing_that_is_given(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://db.example.org/lms")
    with servers.lease(data, for_tests=True):
        assert PostgreSQL(data, for_tests=True).process() is None
        assert Valkey(data, for_tests=True).process()

    monkeypatch.setenv("REDIS_URL", "redis://cache.example.org/0")
    with servers.lease(data, for_tests=True):
        assert running(data) == []


def test_it_works_in_a_folder_with_a_long_and_odd_name(empty: Path) -> None:
    odd = empty / ("an odd 'name' \"ö\" $HOME, " * 5)
    with servers.lease(odd, for_tests=True):
        assert query(odd, "SELECT 1") == [(1,)]


def test_it_refuses_a_folder_that_cannot_be_written(empty: Path) -> None:
    (empty / "file").touch()

    with pytest.raises(CannotStart, match=r"can't be written: Not a directory\. Choose another folder with DATA_DIR"):
        servers.prepare(empty / "file" / "below")


def test_it_refuses_a_full_disk(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "ENOUGH_SPACE", 10**18)

    with pytest.raises(CannotStart, match=r"The disk of .* is full"):
        servers.prepare(empty)


def test_it_refuses_a_link_to_servers_that_are_gone(empty: Path) -> None:
    (empty / "servers").symlink_to(empty / "gone")

    with pytest.raises(CannotStart, match="which is gone"):
        servers.prepare(empty)


def test_it_refuses_the_data_of_another_postgresql(data: Path) -> None:
    with servers.lease(data, for_tests=True):
        pass
    (where.home(data) / "postgresql" / "PG_VERSION").write_text("17\n")

    with (
        pytest.raises(CannotStart, match=r"is PostgreSQL 17's .*Upgrade"),
        servers.lease(data, for_tests=True),
    ):
        raise AssertionError


def test_it_shows_the_log_of_a_server_that_does_not_start(data: Path) -> None:
    with servers.lease(data, for_tests=True):
        pass
    (where.home(data) / "postgresql" / "postgresql.conf").write_text("no such setting\n")

    with (
        pytest.raises(CannotStart, match=r"(?s)PostgreSQL did not start.*syntax error"),
        servers.lease(data, for_tests=True),
    ):
        raise AssertionError


def test_it_refuses_a_socket_folder_that_is_somebody_elses(empty: Path) -> None:
    target = empty / "theirs"
    target.mkdir()
    link = empty / "link"
    link.symlink_to(target)

    with pytest.raises(CannotStart, match="belongs to somebody else"):
        Account.of(where.home(empty)).own_folder(link)


def test_it_copies_programs_that_the_servers_account_cannot_reach(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(where, "OUTSIDE", empty / "outside")
    monkeypatch.setattr(where, "anyone_can_enter", lambda folder: False)
    before = os.umask(0o077)
    copied = Programs.installed().within_reach()
    os.umask(before)

    said = subprocess.run([copied.postgresql / "postgres", "--version"], capture_output=True, text=True, check=True)
    assert said.stdout.startswith("postgres (PostgreSQL)")
    assert copied.valkey.is_relative_to(empty / "outside")
    assert copied == Programs.installed().within_reach()
    assert all(step.stat().st_mode & 0o005 for step in (*copied.postgresql.parents, *copied.postgresql.iterdir()))


def test_servers_of_killed_tests_do_not_stay(start: Starter, data: Path) -> None:
    holder = start("-c", HOLD.replace("data_dir())", "data_dir(), for_tests=True)", 1))
    assert holder.stdout
    holder.stdout.readline()
    assert running(data)

    holder.kill()
    deadline = time.monotonic() + 20
    while running(data) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert running(data) == []


def test_it_says_so_when_a_program_cannot_be_run(data: Path) -> None:
    with pytest.raises(CannotStart, match=r"can't be run as the account of the servers: No such file"):
        Account.of(where.home(data)).run([data / "nothing"])
