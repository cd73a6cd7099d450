"""Webhooks: registered, signed, retried, listed, and never sent inside."""

from __future__ import annotations

import json
import socket
from datetime import timedelta
from threading import Thread
from time import monotonic
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from standardwebhooks.webhooks import Webhook as Receiver

import audit.services
from accounts.models import User
from audit.models import OutboxEvent
from integrations import delivering, sending, tasks
from integrations.errors import AddressRefused
from integrations.models import Delivery, Webhook
from integrations.tests.receivers import Outside
from tests.factories import UserFactory

HOOKS = "/api/v1/webhooks/"


@pytest.fixture
def hook(api: Any, outside: Outside) -> dict[str, Any]:
    answer = api.post(HOOKS, {"url": f"http://127.0.0.1:{outside.server_port}/in?x=1"}, format="json")
    assert answer.status_code == 201, answer.content
    made: dict[str, Any] = answer.json()
    return made


def work() -> None:
    Delivery.objects.filter(status="pending").update(next_at=timezone.now())
    Webhook.objects.update(rests_until=None)
    delivering.take_events()
    delivering.deliver_round(monotonic() + 10)


def test_the_secret_is_shown_once(api: Any, hook: dict[str, Any]) -> None:
    assert hook["secret"].startswith("whsec_")
    assert hook["events"] == sorted(Webhook.Event.values)
    assert api.get(f"{HOOKS}{hook['id']}/").json()["secret"] is None
    assert api.get(HOOKS).json()["results"][0]["secret"] is None
    assert api.patch(f"{HOOKS}{hook['id']}/", {"events": ["merge.done"]}, format="json").json()["secret"] is None


def test_a_merge_is_told_and_signed(api: Any, hook: dict[str, Any], outside: Outside, learner: User) -> None:
    source = UserFactory.create()
    merge = api.post("/api/v1/merges/", {"source": source.pk, "destination": learner.pk}, format="json").json()
    api.post(f"/api/v1/merges/{merge['id']}/undo/", {"reason": "x"}, format="json")
    work()
    kinds = []
    for headers, body in outside.received:
        message = Receiver(hook["secret"]).verify(body, {name.lower(): value for name, value in headers.items()})
        kinds.append(message["type"])
        assert message["timestamp"]
        assert message["data"]["source"] == source.pk
    assert kinds == ["merge.done", "merge.undone"]
    listed = api.get(f"{HOOKS}{hook['id']}/deliveries/").json()["results"]
    assert [(row["event"], row["status"], row["attempts"], row["response_status"]) for row in listed] == [
        ("merge.undone", "delivered", 1, 200),
        ("merge.done", "delivered", 1, 200),
    ]
    assert {row["message_id"] for row in listed} == {headers["webhook-id"] for headers, _ in outside.received}


def test_a_learning_record_is_told(api: Any, hook: dict[str, Any], outside: Outside, learner: User) -> None:
    body = {"user": learner.pk, "kind": "activity", "title": "x", "completed_at": "2026-05-31T12:00:00Z"}
    api.post("/api/v1/learning-records/", body, format="json")
    work()
    message = json.loads(outside.received[0][1])
    assert (message["type"], message["data"]["user"]) == ("learning_record.received", learner.pk)


def test_only_wanted_events_are_sent(api: Any, hook: dict[str, Any], outside: Outside) -> None:
    api.patch(f"{HOOKS}{hook['id']}/", {"events": ["merge.undone"]}, format="json")
    audit.services.announce("merge.done", {})
    work()
    assert outside.received == []
    assert not OutboxEvent.objects.filter(taken_at=None).exists()
    assert not Delivery.objects.exists()


def test_a_failure_is_tried_again_ever_later_and_given_up_at_last(hook: dict[str, Any], outside: Outside) -> None:
    outside.answer = 500
    audit.services.announce("merge.done", {})
    waits = []
    for attempt in range(1, len(delivering.WAITS) + 2):
        work()
        delivery = Delivery.objects.get()
        assert delivery.attempts == attempt
        if delivery.next_at:
            waits.append(delivery.next_at - timezone.now())
    assert (delivery.status, delivery.response_status) == ("failed", 500)
    assert waits == sorted(waits)
    assert waits[0] < timedelta(seconds=10)
    assert waits[-1] > timedelta(hours=12)
    assert len({headers["webhook-id"] for headers, _ in outside.received}) == 1
    work()
    assert len(outside.received) == len(delivering.WAITS) + 1


def test_it_is_delivered_when_the_receiver_comes_back(hook: dict[str, Any], outside: Outside) -> None:
    outside.answer = 503
    audit.services.announce("merge.done", {})
    work()
    outside.answer = 204
    work()
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.attempts, delivery.error) == ("delivered", 2, "")


@pytest.mark.parametrize("answer", [302, 400, 404])
def test_redirects_and_refusals_are_failures(hook: dict[str, Any], outside: Outside, answer: int) -> None:
    outside.answer = answer
    audit.services.announce("merge.done", {})
    work()
    assert (Delivery.objects.get().status, Delivery.objects.get().response_status) == ("pending", answer)
    assert len(outside.received) == 1


def test_a_receiver_that_is_gone_is_left_alone(hook: dict[str, Any], outside: Outside) -> None:
    outside.answer = 410
    audit.services.announce("merge.done", {})
    work()
    assert Delivery.objects.get().status == "failed"


def test_nobody_there_is_a_failure_with_words(api: Any, hook: dict[str, Any], outside: Outside) -> None:
    Webhook.objects.update(url="http://127.0.0.1:1/")
    audit.services.announce("merge.done", {})
    work()
    row = api.get(f"{HOOKS}{hook['id']}/deliveries/", {"status": "pending"}).json()["results"][0]
    assert "refused" in row["error"].lower()
    assert row["next_attempt_at"]


def test_two_workers_send_a_delivery_once(hook: dict[str, Any], outside: Outside) -> None:
    audit.services.announce("merge.done", {})
    delivering.take_events()
    assert len(delivering.claim()) == 1
    assert delivering.claim() == []


def test_a_worker_that_died_is_followed_by_another(hook: dict[str, Any], outside: Outside) -> None:
    audit.services.announce("merge.done", {})
    delivering.take_events()
    delivering.claim()
    Delivery.objects.update(next_at=timezone.now() - timedelta(seconds=1))
    assert delivering.deliver_round(0) == 1
    assert Delivery.objects.get().status == "delivered"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://localhost/", "http://[::1]/", "http://10.0.0.1/", "http://192.168.1.1/", "http://172.16.0.1/",
        "http://169.254.169.254/latest/meta-data/", "http://[fe80::1]/", "http://[fd00::1]/", "http://0.0.0.0/", "http://[::]/",
        "http://100.64.0.1/", "http://224.0.0.1/", "http://[::ffff:127.0.0.1]/", "http://[64:ff9b::7f00:1]/", "http://2130706433/",
        "http://0x7f.1/", "http://[2002:7f00:1::]/", "ftp://example.com/", "file:///etc/passwd", "https://user:pw@example.com/",
        "http://", "example.com", "javascript:alert(1)", "http://exa mple.com/", "http://example.com/\nx", "http://example.com:0/",
        "http://example.com:99999/", "http://[x/",
    ],
)  # fmt: skip
def test_addresses_inside_are_refused(api: Any, problem: Any, url: str) -> None:
    body = problem(api.post(HOOKS, {"url": url}, format="json"), 400)
    assert body["errors"][0]["field"] == "url"
    assert not Webhook.objects.exists()


def test_a_name_that_leads_inside_later_is_refused_at_the_delivery(
    hook: dict[str, Any], outside: Outside, settings: Any
) -> None:
    settings.WEBHOOKS_ALLOW_PRIVATE = False
    audit.services.announce("merge.done", {})
    work()
    assert outside.received == []
    assert "private network" in Delivery.objects.get().error


def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch: Any) -> None:
    """A name that points elsewhere at the second look is looked at once only."""
    looks: list[str] = []
    connected: list[Any] = []

    def resolve(host: str, port: int, **kwargs: Any) -> Any:
        looks.append(host)
        address = "93.184.216.34" if len(looks) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    def connect(address: Any, timeout: Any) -> Any:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(ConnectionRefusedError):
        sending.post("https://rebound.example/", b"{}", {})
    assert looks == ["rebound.example"]
    assert connected == [("93.184.216.34", 443)]


def test_every_address_of_a_name_must_lie_outside(monkeypatch: Any) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 80)) for ip in ("93.184.216.34", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found)
    with pytest.raises(AddressRefused):
        sending.resolve(sending.split("http://mixed.example/"))


def test_webhooks_are_a_superadmins(caller: Any, power_user: User, learner: User, problem: Any, hook: Any) -> None:
    for user in (power_user, learner):
        client = caller(user)
        problem(client.get(HOOKS), 403)
        problem(client.get(f"{HOOKS}{hook['id']}/deliveries/"), 403)
        problem(client.post(HOOKS, {"url": "https://example.com/"}, format="json"), 403)
        problem(client.delete(f"{HOOKS}{hook['id']}/"), 403)


def test_a_removed_or_inactive_webhook_hears_nothing_more(api: Any, hook: dict[str, Any], outside: Outside) -> None:
    audit.services.announce("merge.done", {})
    delivering.take_events()
    assert api.patch(f"{HOOKS}{hook['id']}/", {"active": False}, format="json").json()["active"] is False
    audit.services.announce("merge.done", {})
    outside.answer = 500
    work()
    assert list(Delivery.objects.values_list("status", flat=True)) == ["failed"]
    assert api.delete(f"{HOOKS}{hook['id']}/").status_code == 204
    assert not Delivery.objects.exists()


def test_an_unknown_event_is_named(api: Any, problem: Any) -> None:
    body = problem(api.post(HOOKS, {"url": "https://example.com/", "events": ["merge.done", "x"]}, format="json"), 400)
    assert body["errors"][0]["field"] == "events.1"


@pytest.mark.django_db(transaction=True)
def test_one_worker_delivers_at_a_time(monkeypatch: Any) -> None:
    asked: list[int] = []

    def take_events() -> int:
        asked.append(1)
        return 0

    monkeypatch.setattr(delivering, "take_events", take_events)

    def another_worker() -> None:
        try:
            tasks.deliver()
        finally:
            connection.close()

    with tasks._alone() as may_go:
        other = Thread(target=another_worker)
        other.start()
        other.join()
        assert may_go
        assert not asked
    tasks.deliver()
    assert asked
