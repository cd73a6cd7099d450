"""Webhooks are registered many at once, as every other resource is written: all or none, in the order sent."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import AuditEntry
from integrations import services
from integrations.models import Webhook

HOOKS = "/api/v1/webhooks/"


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every name is found outside, without asking anybody; `slow` ones late."""

    def resolve(host: str, port: int, **kwargs: Any) -> Any:
        if host.startswith("slow"):
            time.sleep(0.5)
        address = host if host[0].isdigit() else "93.184.216.34"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


def test_it_registers_a_list_in_order_each_with_its_own_secret(api: Any) -> None:
    rows = [{"url": f"https://example.com/{i}", "events": ["merge.done"], "active": i != 1} for i in range(3)]
    answer = api.post(HOOKS, rows, format="json")
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert [hook["url"] for hook in made] == [row["url"] for row in rows]
    assert [hook["active"] for hook in made] == [True, False, True]
    assert len({hook["secret"] for hook in made}) == 3
    assert [hook["id"] for hook in made] == list(Webhook.objects.order_by("id").values_list("pk", flat=True))
    assert AuditEntry.objects.filter(action="webhook.created").count() == 3


def test_it_registers_none_when_one_address_is_refused_and_names_its_place(api: Any, problem: Any) -> None:
    rows = [{"url": "https://example.com/"}, {"url": "http://10.0.0.1/"}, {"url": "http://10.0.0.2/"}]
    body = problem(api.post(HOOKS, rows, format="json"), 400)
    assert [(error["field"], error["code"]) for error in body["errors"]] == [
        ("1.url", "address_refused"),
        ("2.url", "address_refused"),
    ]
    assert not Webhook.objects.exists()


def test_it_takes_a_constant_number_of_queries(api: Any) -> None:
    assert _queries(api, 3) == _queries(api, 60)


def test_it_does_not_wait_for_names_that_are_slow_to_be_found(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "PATIENCE", 0.1)
    began = time.monotonic()
    rows = [{"url": f"https://slow{i}.example.com/"} for i in range(100)]
    assert api.post(HOOKS, rows, format="json").status_code == 201
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("rows", [[], [{"url": "https://example.com/"}] * 1001])
def test_a_list_holds_one_to_a_thousand(api: Any, problem: Any, rows: list[Any]) -> None:
    problem(api.post(HOOKS, rows, format="json"), 400)
    assert not Webhook.objects.exists()


def _queries(api: Any, number: int) -> int:
    with CaptureQueriesContext(connection) as queries:
        answer = api.post(HOOKS, [{"url": f"https://example.com/{i}"} for i in range(number)], format="json")
    assert answer.status_code == 201, answer.content[:500]
    return len([query for query in queries if "last_used_at" not in query["sql"]])
