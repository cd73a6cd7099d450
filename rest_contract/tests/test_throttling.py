"""Rate limits of REST: per token, per account, per stranger's address."""

from __future__ import annotations

import socket
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import User
from accounts.services import create_token
from rest_contract import counting, throttling

ONE = "/api/v1/courses/"
DOCUMENT = "/api/v1/schema/"


@pytest.fixture(autouse=True)
def _limits(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five requests of a token, three of a stranger, in one window that doesn't end during the test."""
    settings.RATE_LIMIT_TOKEN, settings.RATE_LIMIT_ANONYMOUS = 30, 18
    moment = time.time() // counting.WINDOW * counting.WINDOW + uuid.uuid4().int % 10**6 * counting.WINDOW + 3
    monkeypatch.setattr(counting, "now", lambda: moment)
    monkeypatch.setattr(throttling, "counting", counting.Counting())


@pytest.fixture
def stranger_address() -> str:
    return f"10.{uuid.uuid4().int % 250}.1.{uuid.uuid4().int % 250}"


def with_token(owner: User, address: str) -> APIClient:
    client = APIClient(REMOTE_ADDR=address)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {create_token(owner=owner)[0]}")
    return client


def statuses(client: Any, number: int, path: str = ONE) -> list[int]:
    return [client.get(path).status_code for _ in range(number)]


@pytest.mark.django_db
def test_a_token_has_its_own_limit(superadmin: User, stranger_address: str, problem: Any) -> None:
    first, second = with_token(superadmin, stranger_address), with_token(superadmin, stranger_address)
    assert statuses(first, 6) == [200] * 5 + [429]
    assert statuses(second, 5) == [200] * 5
    refused = first.get(ONE)
    problem(refused, 429, "throttled")
    assert refused["Retry-After"] == "7"


@pytest.mark.django_db
def test_many_good_tokens_behind_one_address_are_not_strangers(superadmin: User, stranger_address: str) -> None:
    clients = [with_token(superadmin, stranger_address) for _ in range(8)]
    assert [client.get(ONE).status_code for client in clients] == [200] * 8


@pytest.mark.django_db
@pytest.mark.parametrize("path", [ONE, DOCUMENT, "/api/v1/docs/", "/api/nowhere/"])
def test_a_stranger_s_address_has_a_limit_on_every_address(stranger_address: str, path: str) -> None:
    client = Client(REMOTE_ADDR=stranger_address)
    assert 429 not in statuses(client, 3, path)
    assert client.get(path).status_code == 429
    assert Client(REMOTE_ADDR="10.251.0.1").get("/health/").status_code == 200


@pytest.mark.django_db
def test_bad_tokens_are_refused_before_the_database_is_asked(stranger_address: str) -> None:
    for number in range(3):
        bad = Client(REMOTE_ADDR=stranger_address, HTTP_AUTHORIZATION=f"Bearer lms_{number}")
        assert bad.get(ONE).status_code == 401
    another = Client(REMOTE_ADDR=stranger_address, HTTP_AUTHORIZATION="Bearer lms_more")
    with CaptureQueriesContext(connection) as asked:
        assert another.get(ONE).status_code == 429
    assert [query["sql"].split()[0] for query in asked] == ["INSERT"]  # the audit notes some refusals of a flood
    assert "audit_auditentry" in asked[0]["sql"]
    for _ in range(30):
        another.get(ONE)
    with CaptureQueriesContext(connection) as asked:
        assert another.get(ONE).status_code == 429
    assert list(asked) == []


@pytest.mark.django_db
def test_a_known_token_is_served_while_its_address_is_flooded(superadmin: User, stranger_address: str) -> None:
    known = with_token(superadmin, stranger_address)
    assert statuses(known, 1) == [200]
    assert statuses(Client(REMOTE_ADDR=stranger_address), 5) == [401] * 3 + [429] * 2
    assert statuses(known, 2) == [200] * 2


@pytest.mark.django_db
def test_an_ended_token_is_known_no_more(superadmin: User, stranger_address: str) -> None:
    client = with_token(superadmin, stranger_address)
    assert statuses(client, 1) == [200]
    superadmin.api_tokens.all().delete()
    assert statuses(client, 5) == [401] * 3 + [429] * 2


@pytest.mark.django_db
def test_a_browser_s_session_counts_for_its_account(superadmin: User, stranger_address: str) -> None:
    first, second = Client(REMOTE_ADDR=stranger_address), Client(REMOTE_ADDR=stranger_address)
    for client in (first, second):
        client.force_login(superadmin)
    assert statuses(first, 3) == [200] * 3
    assert statuses(second, 3) == [200, 200, 429]


@pytest.mark.django_db
def test_of_ipv6_the_network_counts() -> None:
    net = uuid.uuid4().hex[:4]
    callers = [Client(REMOTE_ADDR=f"2001:db8:1:{net}::{number}") for number in range(1, 6)]
    assert [client.get(ONE).status_code for client in callers] == [401] * 3 + [429] * 2


@pytest.mark.django_db
def test_zero_switches_a_limit_off(settings: Any, superadmin: User, stranger_address: str) -> None:
    settings.RATE_LIMIT_ANONYMOUS = 0
    assert 429 not in statuses(Client(REMOTE_ADDR=stranger_address), 8)
    settings.RATE_LIMIT_TOKEN = 0
    assert 429 not in statuses(with_token(superadmin, stranger_address), 8)


@pytest.fixture
def hung_redis() -> Iterator[str]:
    """Takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


@pytest.mark.django_db
@pytest.mark.parametrize("how", ["gone", "hung"])
def test_without_redis_nobody_is_counted_and_nobody_waits(
    settings: Any, superadmin: User, stranger_address: str, hung_redis: str, how: str
) -> None:
    location = hung_redis if how == "hung" else "redis://127.0.0.1:1/0"
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": location}}
    client = with_token(superadmin, stranger_address)
    began = time.monotonic()
    assert statuses(client, 20) == [200] * 20
    assert time.monotonic() - began < 3  # 0.2 seconds once, not 20 times


def test_numbers_of_certificates_cannot_be_tried_one_after_the_other(db: None, stranger_address: str) -> None:
    client = Client(REMOTE_ADDR=stranger_address)
    page = "/certificates/check/"
    answers = [client.get(page, {"number": f"SEC-{number}"}) for number in range(7)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
    assert int(answers[-1]["Retry-After"]) > 0
    assert client.get(page).status_code == 200
    assert Client(REMOTE_ADDR="192.0.2.7").get(page, {"number": "SEC-1"}).status_code == 200
