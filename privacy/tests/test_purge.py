"""Values whose time is over go, by beat and by `manage.py purge`."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Session, SignInFailure, User
from audit.models import OutboxEvent
from integrations.models import Delivery, Webhook
from lms.celery import app
from merging.errors import UndoRefused
from merging.models import JournalEntry, Merge
from notices.models import Notice
from privacy import registry, services, tasks
from rest_contract.models import IdempotencyKey
from tests.factories import UserFactory
from tests.merging_cases import Pair

pytestmark = pytest.mark.django_db


def purged(after: timedelta = timedelta(0)) -> dict[str, int | None]:
    with time_machine.travel(timezone.now() + after, tick=False):
        return {one.name: rows for one, rows in services.purge_all()}


@pytest.fixture
def pair() -> Pair:
    pair = Pair.make()
    for account, name in ((pair.source, "Kanarie"), (pair.destination, "Papagei")):
        User.objects.filter(pk=account.pk).update(first_name=name, employee_number=f"E-{name}")
    return pair


def journal(merge: Merge) -> str:
    return str(list(JournalEntry.objects.filter(merge=merge).values())).lower()


@pytest.mark.parametrize("undone", [False, True])
def test_values_in_journals_go_when_the_undo_window_ends(
    pair: Pair, client: Client, settings: Any, undone: bool
) -> None:
    merge = pair.merge()
    if undone:
        pair.undo(merge)
    shape = list(merge.journal.values_list("position", "section", "model", "kind", "outcome", "ids"))
    window = timedelta(days=settings.UNDO_WINDOW_DAYS)
    assert purged(window - timedelta(hours=1))["values in journals"] == 0
    assert "kanarie" in journal(merge)
    assert purged(window + timedelta(hours=1))["values in journals"] == 1
    assert not [word for word in ("kanarie", "papagei") if word in journal(merge)]
    assert list(merge.journal.values_list("position", "section", "model", "kind", "outcome", "ids")) == shape
    assert purged(window + timedelta(hours=2))["values in journals"] == 0
    client.force_login(pair.actor)
    page = client.get(reverse("merging:merge", args=[merge.pk])).content.decode()
    assert "First name" in page


def test_a_purged_merge_is_not_undone_however_long_the_window_is_now(pair: Pair, settings: Any) -> None:
    merge = pair.merge()
    purged(timedelta(days=settings.UNDO_WINDOW_DAYS + 1))
    with pytest.raises(UndoRefused) as refusal:
        pair.undo(merge)
    assert refusal.value.code == "undo_window_closed"


def test_events_and_deliveries_go_after_their_days(settings: Any) -> None:
    old, kept = timezone.now() - timedelta(days=settings.OUTBOX_KEEP_DAYS + 1), timezone.now()
    hook = Webhook.objects.create(url="https://example.invalid/")

    def event(at: datetime, taken: bool = True) -> OutboxEvent:
        made = OutboxEvent.objects.create(kind="merge.done", payload={}, taken_at=at if taken else None)
        OutboxEvent.objects.filter(pk=made.pk).update(at=at)
        return made

    def delivery(of: OutboxEvent, status: str, at: datetime) -> None:
        made = Delivery.objects.create(webhook=hook, event=of, status=status)
        Delivery.objects.filter(pk=made.pk).update(created_at=at)

    delivered, failed, pending, young, untaken = (
        event(old),
        event(old),
        event(old),
        event(kept),
        event(old, taken=False),
    )
    event(old)
    delivery(delivered, "delivered", old)
    delivery(failed, "failed", old)
    delivery(pending, "pending", old)
    delivery(young, "delivered", kept)
    assert purged()["events and deliveries"] == 5
    assert set(OutboxEvent.objects.all()) == {pending, young, untaken}
    assert set(Delivery.objects.values_list("event", flat=True)) == {pending.pk, young.pk}


def test_ended_sessions_old_keys_failures_and_mails_go() -> None:
    user = UserFactory.create()
    client = Client()
    client.force_login(user)
    IdempotencyKey.objects.create(owner=user, key="x", fingerprint="x")
    SignInFailure.objects.create(caller="address 10.0.0.1", target="x")
    Notice.objects.create(kind="merge.done", recipient=user, state="sent", ended_at=timezone.now())
    assert set(purged().values()) == {0}
    later = purged(timedelta(days=400))
    assert {name for name, rows in later.items() if rows} == {
        "sessions", "sign-in failures", "answers to repeated requests", "mails that were sent or given up",
    }  # fmt: skip
    assert not Session.objects.exists()
    assert not Notice.objects.exists()


def test_mails_kept_as_files_go(settings: Any, tmp_path: Any) -> None:
    settings.EMAIL_FILE_PATH = str(tmp_path)
    (tmp_path / "a.log").write_text("old")
    assert purged()["mails kept as files"] == 0
    assert purged(timedelta(days=settings.MAIL_FILES_KEEP_DAYS + 1))["mails kept as files"] == 1
    assert not list(tmp_path.iterdir())


def test_one_purge_that_fails_keeps_no_other_from_its_work(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(now: datetime) -> int:
        raise RuntimeError("out of order")

    first = registry.Purge("first", "never", broken)
    monkeypatch.setattr(registry, "_purges", {"first": first, **{one.name: one for one in registry.purges()}})
    results = purged()
    assert results.pop("first") is None
    assert set(results.values()) == {0}
    with pytest.raises(CommandError, match="first"):
        call_command("purge", stdout=io.StringIO())


def test_the_command_says_what_it_cleared_and_beat_does_the_same() -> None:
    SignInFailure.objects.create(caller="x", target="x", at=timezone.now() - timedelta(days=9))
    said = io.StringIO()
    call_command("purge", stdout=said)
    assert "sign-in failures (4 times SIGN_IN_LOCK_MINUTES): 1 cleared" in said.getvalue()
    SignInFailure.objects.create(caller="x", target="x", at=timezone.now() - timedelta(days=9))
    tasks.purge()
    assert not SignInFailure.objects.exists()
    assert "privacy.tasks.purge" in {entry["task"] for entry in app.conf.beat_schedule.values()}
