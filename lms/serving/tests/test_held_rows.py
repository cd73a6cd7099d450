"""A row that somebody holds, or a database that hangs, doesn't stop the web. Real connections, the Procfile's server."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest
from django.db import connection

from accounts.models import User
from accounts.services import create_token
from lms.serving.tests.conftest import Web, test_database

AT_ONCE = 2  # seconds on a busy machine; each wait for the held row takes 3
Start = Callable[..., Web]


@contextlib.contextmanager
def held(user: User) -> Iterator[None]:
    """Another connection holds the account's row."""
    with contextlib.closing(psycopg2.connect(test_database())) as other, other.cursor() as cursor:
        cursor.execute("SELECT FROM accounts_user WHERE id = %s FOR UPDATE", [user.pk])
        yield


def bearer(owner: User) -> dict[str, str]:
    return {"Authorization": f"Bearer {create_token(owner=owner)[0]}", "Content-Type": "application/json"}


def test_writes_behind_a_held_row_are_refused_in_time_and_reads_go_on(
    portal: Start, superadmin: User, learner: User
) -> None:
    web = portal(WEB_LOCK_TIMEOUT_SECONDS="3", WEB_WORKERS="1", WEB_THREADS="4")
    headers = bearer(superadmin)
    web.call("GET", "/api/v1/users/", headers)
    path, body = f"/api/v1/users/{learner.pk}/", b'{"first_name": "New"}'
    with held(learner), ThreadPoolExecutor(6) as pool:
        writes = [pool.submit(web.call, "PATCH", path, headers, body) for _ in range(6)]
        time.sleep(0.5)
        for read in ("/health/", "/ready/", "/sign-in/", "/api/v1/courses/"):
            began = time.monotonic()
            assert web.call("GET", read, headers).status == 200, read
            assert time.monotonic() - began < AT_ONCE, read
        answers = [write.result() for write in writes]
    assert {answer.status for answer in answers} == {503}
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers)
    assert web.call("PATCH", path, headers, body).status == 200


def test_its_state_is_told_while_all_of_the_database_is_locked(portal: Start, superadmin: User) -> None:
    web = portal(WEB_WORKERS="1", WEB_THREADS="2")
    headers = bearer(superadmin)
    with contextlib.closing(psycopg2.connect(test_database())) as other, other.cursor() as cursor:
        cursor.execute("LOCK accounts_user, accounts_apitoken, accounts_session, django_migrations")
        with ThreadPoolExecutor(8) as pool:
            reads = [pool.submit(web.call, "GET", "/api/v1/users/", headers) for _ in range(8)]
            time.sleep(0.3)
            for path, status in (("/health/", 200), ("/ready/", 503)):
                began = time.monotonic()
                assert web.call("GET", path).status == status
                assert time.monotonic() - began < AT_ONCE
            other.rollback()
            assert {read.result().status for read in reads} <= {200, 503}


@pytest.mark.parametrize(("kind", "limits"), [("web", ("4s", "20s")), ("worker", ("30s", "14min")), ("", ("0", "0"))])
def test_each_kind_of_process_has_its_limits(kind: str, limits: tuple[str, str]) -> None:
    import environ

    from lms.limits import connection_options, of_process

    env = environ.Env()
    env.ENVIRON = {"WEB_LOCK_TIMEOUT_SECONDS": "4", "WEB_STATEMENT_TIMEOUT_SECONDS": "20"}
    options = connection_options("", of_process(kind, env))
    with contextlib.closing(psycopg2.connect(test_database(), options=options)) as other, other.cursor() as cursor:
        for name, limit in zip(("lock_timeout", "statement_timeout"), limits, strict=True):
            cursor.execute(f"SHOW {name}")
            assert cursor.fetchone() == (limit,)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("lock", "statement", "found"), [(5, 30, ("5s", "2min")), (30, 840, ("10s", "14min")), (0, 0, ("10s", "0"))]
)
def test_a_merge_waits_no_longer_than_its_process_and_may_work_longer(
    settings: object, lock: int, statement: int, found: tuple[str, str]
) -> None:
    from merging.locks import one_transaction

    settings.LOCK_TIMEOUT_SECONDS, settings.STATEMENT_TIMEOUT_SECONDS = lock, statement  # type: ignore[attr-defined]
    with one_transaction(), connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout'), current_setting('statement_timeout')")
        assert cursor.fetchone() == found
