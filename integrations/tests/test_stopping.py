"""A webhook ends with its creator's rights, and with the key of its secret; a superadmin may take it over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings
from standardwebhooks.webhooks import Webhook as Receiver

import audit.services
from accounts.errors import NotAllowed
from accounts.models import Role, User
from accounts.services import deactivate, delete_account
from audit.models import AuditEntry
from integrations import delivering, services, tasks
from integrations.models import Delivery, Webhook
from integrations.tests.receivers import Outside
from tests.factories import SuperadminFactory

pytestmark = pytest.mark.django_db
HOOKS = "/api/v1/webhooks/"


@pytest.fixture
def creator(db: None) -> User:
    creator: User = SuperadminFactory.create(username="creator")
    return creator


@pytest.fixture
def hook(creator: User, outside: Outside) -> Webhook:
    return services.register(actor=creator, rows=[{"url": f"http://127.0.0.1:{outside.server_port}/in"}])[0]


def demoted(creator: User, other: User) -> None:
    User.objects.filter(pk=creator.pk).update(role=Role.POWER_USER)


def deactivated(creator: User, other: User) -> None:
    deactivate(actor=other, account_id=creator.pk)


def deleted(creator: User, other: User) -> None:
    delete_account(actor=other, account_id=creator.pk)


WAYS = [demoted, deactivated, deleted]


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_sent_once_the_creator_lost_the_rights(
    api: Any, superadmin: User, creator: User, hook: Webhook, outside: Outside, way: Callable[[User, User], None]
) -> None:
    audit.services.announce("merge.done", {})
    delivering.take_events()
    way(creator, superadmin)
    audit.services.announce("merge.done", {})
    tasks.deliver()
    assert outside.received == []
    shown = api.get(f"{HOOKS}{hook.pk}/").json()
    assert (shown["active"], shown["stopped"]) == (False, "creator_lost_rights")
    (listed,) = api.get(f"{HOOKS}{hook.pk}/deliveries/").json()["results"]
    assert listed["status"] == "failed"
    assert "creator" in listed["error"]
    entry = AuditEntry.objects.get(action="webhook.stopped")
    assert (entry.detail["webhook"], entry.detail["code"]) == (hook.pk, "creator_lost_rights")


def test_what_was_due_is_not_sent_even_before_the_webhook_is_stopped(
    superadmin: User, creator: User, hook: Webhook, outside: Outside
) -> None:
    audit.services.announce("merge.done", {})
    delivering.take_events()
    demoted(creator, superadmin)
    assert delivering.claim() == []


def test_it_stays_stopped_when_the_rights_come_back(creator: User, superadmin: User, hook: Webhook) -> None:
    demoted(creator, superadmin)
    tasks.deliver()
    User.objects.filter(pk=creator.pk).update(role=Role.SUPERADMIN)
    audit.services.announce("merge.done", {})
    tasks.deliver()
    assert not Webhook.objects.get().is_active
    assert not Delivery.objects.exists()


def test_a_superadmin_takes_it_over_with_its_secret(
    api: Any, creator: User, superadmin: User, hook: Webhook, outside: Outside
) -> None:
    demoted(creator, superadmin)
    tasks.deliver()
    shown = api.patch(f"{HOOKS}{hook.pk}/", {"active": True}, format="json").json()
    assert (shown["active"], shown["stopped"], shown["created_by"]) == (True, None, superadmin.pk)
    assert shown["secret"] is None
    audit.services.announce("merge.done", {})
    tasks.deliver()
    ((headers, body),) = outside.received
    Receiver(hook.new_secret).verify(body, {name.lower(): value for name, value in headers.items()})
    assert AuditEntry.objects.filter(action="webhook.taken_over", actor=superadmin).exists()


def test_others_are_not_stopped(creator: User, superadmin: User, hook: Webhook, outside: Outside) -> None:
    services.register(actor=superadmin, rows=[{"url": f"http://127.0.0.1:{outside.server_port}/"}])
    demoted(creator, superadmin)
    audit.services.announce("merge.done", {})
    tasks.deliver()
    assert len(outside.received) == 1
    assert sorted(Webhook.objects.values_list("is_active", flat=True)) == [False, True]


def test_a_lost_key_stops_the_webhook_and_nothing_else(
    api: Any, superadmin: User, hook: Webhook, outside: Outside, settings: Settings
) -> None:
    settings.FIELD_KEYS = ["another"]
    live = services.register(actor=superadmin, rows=[{"url": f"http://127.0.0.1:{outside.server_port}/"}])[0]
    audit.services.announce("merge.done", {})
    for _ in range(3):
        tasks.deliver()
        Delivery.objects.filter(status="pending").update(next_at=timezone.now())
    assert len(outside.received) == 1
    assert Delivery.objects.get(webhook=live).status == "delivered"
    shown = api.get(f"{HOOKS}{hook.pk}/").json()
    assert (shown["active"], shown["stopped"]) == (False, "secret_unreadable")
    assert Delivery.objects.get(webhook=hook).status == "failed"
    assert AuditEntry.objects.filter(action="webhook.stopped").count() == 1

    renewed = api.patch(f"{HOOKS}{hook.pk}/", {"active": True}, format="json").json()["secret"]
    assert renewed.startswith("whsec_")
    assert renewed != hook.new_secret
    assert api.get(f"{HOOKS}{hook.pk}/").json()["secret"] is None
    outside.received.clear()
    audit.services.announce("merge.done", {})
    tasks.deliver()
    assert len(outside.received) == 2


def test_changing_one_that_was_removed_meanwhile_is_not_found(
    api: Any, hook: Webhook, problem: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = services.check_addresses

    def remove_meanwhile(urls: list[str]) -> None:
        before(urls)
        Webhook.objects.all().delete()

    monkeypatch.setattr(services, "check_addresses", remove_meanwhile)
    problem(api.patch(f"{HOOKS}{hook.pk}/", {"url": hook.url}, format="json"), 404)


@pytest.mark.parametrize("act", ["register", "change", "remove"])
@pytest.mark.parametrize("way", WAYS)
def test_who_lost_the_rights_since_the_request_came_in_writes_nothing(
    superadmin: User, creator: User, hook: Webhook, way: Callable[[User, User], None], act: str
) -> None:
    """A look-up of names stands between the two."""
    acts: dict[str, Callable[[], object]] = {
        "register": lambda: services.register(actor=creator, rows=[{"url": "http://127.0.0.1:9/late"}]),
        "change": lambda: services.change(actor=creator, webhook=hook, values={"is_active": True}),
        "remove": lambda: services.remove(actor=creator, webhook=hook),
    }
    before = list(Webhook.objects.values())
    way(creator, superadmin)
    with pytest.raises(NotAllowed):
        acts[act]()
    assert list(Webhook.objects.values()) == before
