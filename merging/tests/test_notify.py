"""The mail that tells a person of their merge."""

import pytest
from django.core import mail

from accounts.models import User
from merging import services, tasks
from merging.models import Merge

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
