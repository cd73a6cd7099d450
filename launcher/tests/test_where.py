"""The addresses of the private servers."""

import os
from pathlib import Path

import pytest
from psycopg2.extensions import parse_dsn

from launcher import where


def test_it_gives_the_same_addresses_for_the_same_folder(empty: Path) -> None:
    assert where.database_url(empty) == where.database_url(Path(str(empty)))
    assert where.redis_url(empty, 1) == where.redis_url(Path(str(empty)), 1)


def test_it_gives_every_folder_addresses_of_its_own(empty: Path) -> None:
    assert where.database_url(empty / "a") != where.database_url(empty / "b")
    assert where.redis_url(empty / "a", 0) != where.redis_url(empty / "b", 0)


def test_it_keeps_the_sockets_in_the_data_folder(empty: Path) -> None:
    assert where.socket_dir(empty) == empty / "servers" / "run"


def test_it_falls_back_on_a_short_folder_for_a_long_path(empty: Path) -> None:
    long = empty / ("long" * 30)

    assert len(os.fsencode(where.redis_socket(long))) < 100
    assert where.socket_dir(long) != where.socket_dir(empty / ("long" * 31))


def test_it_counts_bytes_and_not_letters(empty: Path) -> None:
    assert not where.socket_dir(empty / ("ö" * 40)).is_relative_to(empty)


def test_it_goes_outside_when_the_servers_account_cannot_enter(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(where, "_owner", lambda folder: 0)
    assert where.home(empty) == empty / "servers"

    empty.chmod(0o700)
    assert where.home(empty).parent == where.OUTSIDE


def test_it_stays_where_the_servers_once_were(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(where, "_owner", lambda folder: 0)
    elsewhere = empty / "elsewhere"
    elsewhere.mkdir()
    (empty / "servers").symlink_to(elsewhere)

    assert where.home(empty) == elsewhere


def test_its_database_url_is_understood_by_libpq() -> None:
    odd = Path("/srv/a b+c%d")

    assert parse_dsn(where.database_url(odd)) == {"user": "lms", "dbname": "lms", "host": "/srv/a b+c%d/servers/run"}


def test_it_counts_a_relative_data_dir_from_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    assert where.data_dir() == where.ROOT / ".data"

    monkeypatch.setenv("DATA_DIR", "other/../mine")
    assert where.data_dir() == where.ROOT / "mine"

    monkeypatch.setenv("DATA_DIR", "/srv/mine")
    assert where.data_dir() == Path("/srv/mine")


def test_it_gives_parallel_test_processes_databases_of_their_own(monkeypatch: pytest.MonkeyPatch, empty: Path) -> None:
    urls = set()
    for share in ("0", "1", "2"):
        monkeypatch.setenv("REDIS_SHARE", share)
        urls |= {where.redis_url(empty, db) for db in range(where.SHARE)}

    assert len(urls) == 3 * where.SHARE


@pytest.mark.parametrize(
    ("url", "for_celery"),
    [
        ("unix:///run/redis.sock?db=3", "redis+socket:///run/redis.sock?virtual_host=3"),
        ("unix:///run/redis.sock", "redis+socket:///run/redis.sock?virtual_host=0"),
        ("redis://localhost:6379/2", "redis://localhost:6379/2"),
        ("rediss://:secret@cache.example.org/0", "rediss://:secret@cache.example.org/0"),
    ],
)
def test_it_says_the_same_to_celery(url: str, for_celery: str) -> None:
    assert where.celery_url(url) == for_celery
