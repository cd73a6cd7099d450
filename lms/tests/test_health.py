"""`/health/`, the headers, and what the log says of a request."""

import json
import logging
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import OperationalError, connection
from django.test import Client

from launcher import state
from lms import health, logs, tasks
from tests.factories import SuperadminFactory


@pytest.fixture(autouse=True)
def _no_beat() -> None:
    cache.delete(health.BEAT)
    for probe in (health.DATABASE, health.REDIS, health.MIGRATIONS):
        probe.forget()
    health.TABLES_ARE_MADE.clear()


@pytest.mark.django_db
def test_it_is_well_when_everything_answers(client: Client) -> None:
    tasks.beat()
    answer = client.get("/health/")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    assert answer.json()["checks"] == {"database": "ok", "redis": "ok", "worker": "ok"}


@pytest.mark.django_db
def test_it_tells_of_a_silent_worker_and_serves_on(client: Client) -> None:
    cache.set(health.BEAT, time.time() - 2 * health.SILENT_AFTER)
    answer = client.get("/health/")
    assert (answer.status_code, answer.json()["checks"]["worker"]) == (200, "silent")


@pytest.mark.django_db
def test_it_serves_on_without_redis(client: Client, settings: Any) -> None:
    nowhere = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {"default": nowhere}
    answer = client.get("/health/")
    assert answer.status_code == 200
    assert answer.json()["checks"] == {"database": "ok", "redis": "failing", "worker": "unknown"}


@pytest.mark.django_db
def test_it_fails_without_the_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(health.DATABASE, "ask", fail)
    answer = client.get("/health/")
    assert (answer.status_code, answer.json()["status"]) == (503, "failing")
    assert "gone" not in answer.content.decode()


@pytest.mark.django_db
def test_it_may_be_sent_requests_when_the_tables_are_of_this_release(client: Client) -> None:
    answer = client.get("/ready/")
    assert (answer.status_code, answer.json()) == (
        200,
        {"status": "ready", "checks": {"database": "ok", "migrations": "ok"}},
    )


@pytest.mark.django_db(transaction=True)
def test_it_may_not_be_sent_requests_before_its_tables_are_made(client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'bulk' RETURNING app, name, applied")
        rows = cursor.fetchall()
        try:
            answer = client.get("/ready/")
        finally:
            cursor.executemany("INSERT INTO django_migrations (app, name, applied) VALUES (%s, %s, %s)", rows)
    assert (answer.status_code, answer.json()["checks"]["migrations"]) == (503, "pending")
    assert answer["Retry-After"] == "5"


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/health/", "/ready/"])
def test_it_answers_within_a_second_while_the_servers_hang(
    client: Client, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    free = threading.Event()
    for probe in (health.DATABASE, health.REDIS, health.MIGRATIONS):
        monkeypatch.setattr(probe, "ask", lambda: free.wait(20))
    began = time.monotonic()
    statuses = [client.get(path).status_code for _ in range(20)]
    assert statuses == [503] * 20
    assert time.monotonic() - began < 3  # one wait, not twenty
    assert sum(thread.name.startswith("probe") for thread in threading.enumerate()) <= 2
    free.set()


@pytest.mark.django_db
def test_it_asks_nothing_of_the_database_for_the_caller(client: Client, django_assert_num_queries: Any) -> None:
    client.force_login(SuperadminFactory.create())
    with django_assert_num_queries(0):
        client.get("/health/")


@pytest.mark.django_db
def test_it_tells_how_the_launcher_keeps_its_processes(client: Client, settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    assert "processes" not in client.get("/health/").json(), "another supervisor's portal"

    beat = {"state": "restarting", "restarts": 3, "since": state.now()}
    state.StateFile(tmp_path).show({"beat": beat})
    assert client.get("/health/").json()["processes"] == {"beat": beat}


@pytest.mark.django_db
def test_it_is_read_alone_and_never_cached(client: Client) -> None:
    assert client.post("/health/").status_code == 405
    assert "no-store" in client.get("/health/")["Cache-Control"]


@pytest.mark.django_db
def test_it_sends_the_headers_that_guard_a_page(client: Client) -> None:
    headers = client.get("/health/").headers
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert "camera=()" in headers["Permissions-Policy"]


@pytest.mark.django_db
def test_it_has_an_icon_for_browsers_that_ask(client: Client) -> None:
    assert client.get("/favicon.ico")["Location"] == "/static/img/mark.svg"


def test_it_writes_one_json_object_per_line(capsys: pytest.CaptureFixture[str]) -> None:
    form = logs.configured("json", "INFO")["formatters"]["lines"]
    handler = logging.StreamHandler()
    handler.setFormatter(form["()"](processors=form["processors"], foreign_pre_chain=form["foreign_pre_chain"]))
    handler.emit(logging.LogRecord("portal", logging.INFO, "file", 1, "merged %s", ("7 into 12",), None))
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["level"], line["logger"]) == ("merged 7 into 12", "info", "portal")


def test_it_keeps_what_people_typed_out_of_the_log(rf: Any) -> None:
    assert logs.RequestLog.format_request(rf.get("/users/", {"search": "Jane"})) == "GET /users/"
