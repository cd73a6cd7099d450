"""The mail that tells a person of their merge."""

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.models import User
from merging import services, tasks
from merging.models import Merge
from notices import services as services_of_mail
from notices.models import Notice

pytestmark = pytest.mark.django_db


def merged(boss: User, source: User, destination: User, *, notify: bool = True) -> Merge:
    return services.request_merge(
        actor=boss, source_id=source.pk, destination_id=destination.pk, policy="keep_primary", notify=notify
    )


def test_it_tells_the_person_at_both_addresses(boss: User, source: User, destination: User) -> None:
    tasks.notify(merged(boss, source, destination).pk)
    assert sorted(letter.to for letter in mail.outbox) == [["new@example.com"], ["old@example.com"]]
    letter = mail.outbox[0]
    assert letter.subject == "Your two accounts are now one"
    assert "Sign in as: jane.new" in letter.body
    assert "jane.old can't be used to sign in any more" in letter.body
    html, kind = letter.alternatives[0]  # type: ignore[attr-defined]
    assert kind == "text/html"
    assert "<strong>jane.new</strong>" in html


def test_it_tells_once(boss: User, source: User, destination: User) -> None:
    merge = merged(boss, source, destination)
    for _ in range(3):
        tasks.notify(merge.pk)
    assert len(mail.outbox) == 2


def test_it_leaves_bounced_addresses_alone(boss: User, source: User, destination: User) -> None:
    User.objects.filter(pk=source.pk).update(email_state="bounced")
    tasks.notify(merged(boss, source, destination).pk)
    assert [letter.to for letter in mail.outbox] == [["new@example.com"]]


def test_it_is_silent_unless_asked(boss: User, source: User, destination: User) -> None:
    tasks.notify(merged(boss, source, destination, notify=False).pk)
    assert mail.outbox == []


def test_the_sweep_finds_a_lost_hint(boss: User, source: User, destination: User) -> None:
    merge = merged(boss, source, destination)
    Merge.objects.filter(pk=merge.pk).update(performed_at="2026-01-01T00:00Z")
    tasks.sweep()
    assert len(mail.outbox) == 2


def test_a_refused_address_is_not_told_of_the_other_again(boss: User, source: User, destination: User) -> None:
    User.objects.filter(pk=source.pk).update(email="no address\nat all")
    merge = merged(boss, source, destination)
    for _ in range(3):
        tasks.notify(merge.pk)
        Notice.objects.update(next_at=timezone.now())
        services_of_mail.send_due()
    assert [letter.to for letter in mail.outbox] == [["new@example.com"]]


def test_an_undone_merge_is_not_told_of(boss: User, source: User, destination: User) -> None:
    merge = merged(boss, source, destination)
    services_of_mail.queue("merge.done", [destination.pk], about=merge.pk)
    services.undo_merge(actor=boss, merge_id=merge.pk, reason="two people")
    services_of_mail.send_due()
    assert mail.outbox == []


def test_the_page_of_the_merge_says_what_could_not_be_delivered(
    boss: User, source: User, destination: User, client: Client
) -> None:
    User.objects.filter(pk=source.pk).update(email="no address\nat all")
    merge = merged(boss, source, destination)
    tasks.notify(merge.pk)
    client.force_login(boss)
    assert "couldn't be delivered" not in client.get(f"/merges/{merge.pk}/").content.decode()
    for _ in services_of_mail.WAITS:
        Notice.objects.update(next_at=timezone.now())
        services_of_mail.send_due()
    assert "1 mail couldn't be delivered" in client.get(f"/merges/{merge.pk}/").content.decode()
