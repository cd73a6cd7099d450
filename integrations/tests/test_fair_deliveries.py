"""A receiver that hangs, fails or dawdles costs itself time, and the others none."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

import audit.services
from accounts.models import User
from integrations import delivering, sending, services, tasks
from integrations.models import Delivery, Webhook
from integrations.tests.receivers import Outside, dripping, mute, receiver

MANY = 300
HANGS = 1.0  # seconds until a receiver that doesn't answer is given up

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def short_patience(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.WEBHOOKS_ALLOW_PRIVATE = True
    monkeypatch.setattr(sending, "SECONDS", HANGS)


@pytest.fixture
def dead(superadmin: User) -> Iterator[Webhook]:
    """A webhook that never answers and that many deliveries wait for."""
    with mute() as port:
        yield _hook(superadmin, port, "merge.done")


def _hook(owner: User, port: int, *events: str) -> Webhook:
    return services.register(actor=owner, rows=[{"url": f"http://127.0.0.1:{port}/", "events": events}])[0]


def _events(kind: str, number: int) -> None:
    for _ in range(number):
        audit.services.announce(kind, {})
    delivering.take_events()


def _waited(webhook: Webhook, **time: float) -> None:
    """As if that much time had passed for it."""
    gone = timedelta(**time)
    for row in (*Webhook.objects.filter(pk=webhook.pk), *Delivery.objects.filter(webhook=webhook)):
        for name in ("rests_until", "next_at"):
            if getattr(row, name, None):
                type(row)._base_manager.filter(pk=row.pk).update(**{name: getattr(row, name) - gone})


def _left(webhook: Webhook) -> int:
    return Delivery.objects.filter(webhook=webhook, status="pending").count()


def test_one_that_hangs_does_not_hold_up_another(superadmin: User, dead: Webhook, outside: Outside) -> None:
    live = _hook(superadmin, outside.server_port, "merge.undone")
    _events("merge.done", MANY)
    _events("merge.undone", 20)

    tasks.deliver()

    assert _left(live) == 0
    assert len(outside.received) == 20
    assert _left(dead) == MANY


def test_it_is_asked_once_and_then_left_in_peace(dead: Webhook) -> None:
    _events("merge.done", MANY)
    began = time.monotonic()

    tasks.deliver()
    tasks.deliver()

    assert time.monotonic() - began < 5 * HANGS
    assert Delivery.objects.filter(attempts=1).count() == 1
    assert not Delivery.objects.filter(attempts__gt=1).exists()
    dead.refresh_from_db()
    assert dead.failures == 1
    assert dead.rests_until is not None
    assert dead.rests_until > timezone.now()


def test_it_rests_longer_each_time_and_five_minutes_at_most(dead: Webhook) -> None:
    _events("merge.done", MANY)
    rests = []
    for failures in range(1, 5):
        _waited(dead, days=1)
        delivering.deliver_round(0)
        dead.refresh_from_db()
        assert dead.failures == failures
        assert dead.rests_until is not None
        rests.append((dead.rests_until - timezone.now()).total_seconds())
    for rest, seconds in zip(rests, (5, 60, 300, 300), strict=True):
        assert seconds - 1 < rest <= seconds * 1.2  # a part by chance, so that not all receivers are asked at once


def test_all_of_it_is_sent_once_it_answers_again(superadmin: User, outside: Outside) -> None:
    hook = _hook(superadmin, outside.server_port, "merge.done")
    _events("merge.done", 60)
    outside.answer = 503
    tasks.deliver()
    assert len(outside.received) == 1

    outside.answer = 200
    _waited(hook, minutes=10)
    tasks.deliver()

    assert _left(hook) == 0
    assert len({headers["webhook-id"] for headers, _ in outside.received}) == 60
    hook.refresh_from_db()
    assert (hook.failures, hook.rests_until) == (0, None)


def test_a_refused_message_does_not_hold_up_the_next_ones(superadmin: User, outside: Outside) -> None:
    hook = _hook(superadmin, outside.server_port, "merge.done")
    _events("merge.done", 5)
    outside.answer = 400

    tasks.deliver()

    assert len(outside.received) == 5
    assert _left(hook) == 5
    hook.refresh_from_db()
    assert hook.failures == 0


def test_more_webhooks_than_go_at_once_take_turns(superadmin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivering, "LANES", 2)
    monkeypatch.setattr(delivering, "PER_ROUND", 1)
    with receiver() as busy, receiver() as also_busy, receiver() as late:
        for server in (busy, also_busy):
            _hook(superadmin, server.server_port, "merge.done")
        _hook(superadmin, late.server_port, "merge.undone")
        _events("merge.done", 10)
        _events("merge.undone", 1)

        for _ in range(2):
            delivering.deliver_round(time.monotonic() + 5)

        assert len(late.received) == 1
        assert len(busy.received) + len(also_busy.received) == 3


def test_what_was_claimed_and_not_tried_is_due_again_at_once(superadmin: User, outside: Outside) -> None:
    hook = _hook(superadmin, outside.server_port, "merge.done")
    _events("merge.done", 5)

    delivering.deliver_round(0)  # no time left: the first of each is tried all the same

    assert len(outside.received) == 1
    assert Delivery.objects.filter(webhook=hook, attempts=0, next_at__lte=timezone.now()).count() == 4


@pytest.mark.parametrize("pause", [HANGS / 5, HANGS / 100], ids=["in its status", "in its headers"])
def test_a_receiver_that_dawdles_is_cut_off(superadmin: User, pause: float) -> None:
    with dripping(pause) as port:
        hook = _hook(superadmin, port, "merge.done")
        _events("merge.done", 1)
        began = time.monotonic()

        tasks.deliver()

        assert time.monotonic() - began < 5 * HANGS
    delivery = Delivery.objects.get(webhook=hook)
    assert (delivery.status, delivery.attempts) == ("pending", 1)
    assert "took longer" in delivery.error


def test_deliveries_are_given_up_when_a_receiver_stays_dead(dead: Webhook) -> None:
    _events("merge.done", 10)
    old = Delivery.objects.filter(webhook=dead).order_by("-id")[:8].values_list("pk", flat=True)
    Delivery.objects.filter(pk__in=list(old)).update(created_at=timezone.now() - timedelta(days=3))
    Webhook.objects.filter(pk=dead.pk).update(failures=len(delivering.WAITS))

    tasks.deliver()

    assert Delivery.objects.filter(status="failed", next_at=None, error__contains="given up").count() == 8
    assert _left(dead) == 2


def test_a_new_address_is_tried_at_once(superadmin: User, dead: Webhook, outside: Outside) -> None:
    _events("merge.done", 3)
    tasks.deliver()
    dead.refresh_from_db()

    services.change(actor=superadmin, webhook=dead, values={"url": f"http://127.0.0.1:{outside.server_port}/"})
    tasks.deliver()

    assert len(outside.received) == 2  # the third waits for its own next try


def test_a_webhook_removed_in_the_middle_disturbs_nobody(
    superadmin: User, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    _hook(superadmin, outside.server_port, "merge.done")
    _events("merge.done", 2)
    lanes = delivering.claim()
    Webhook.objects.all().delete()
    monkeypatch.setattr(delivering, "claim", lambda: lanes)

    assert delivering.deliver_round(0) == 1
    assert not Delivery.objects.exists()


def test_rest_tells_that_a_webhook_fails_and_until_when_it_is_left_alone(api: Any, dead: Webhook) -> None:
    _events("merge.done", 2)
    tasks.deliver()
    told = api.get(f"/api/v1/webhooks/{dead.pk}/").json()
    assert told["failures"] == 1
    waiting = api.get(f"/api/v1/webhooks/{dead.pk}/deliveries/").json()["results"]
    assert all(row["next_attempt_at"] >= told["rests_until"] for row in waiting)
