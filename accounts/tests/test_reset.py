"""Forgotten passwords."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Session, Status, User
from accounts.services import check_credentials, deactivate, end_access, reactivate
from accounts.tasks import send_reset_link
from accounts.tests.people import PASSWORD, person, superadmin
from audit.models import AuditEntry
from notices.models import Notice
from notices.services import send_due
from tests.brokers import Broker

pytestmark = pytest.mark.django_db
NEW = "a new and long passphrase"


@pytest.fixture
def jane(settings: Settings) -> User:
    settings.PORTAL_URL = "https://portal.example.org/"
    return person("jane", password=PASSWORD)


def link_of(email: str = "JANE@example.com") -> str:
    send_reset_link(email)
    found = re.search(r"https://portal\.example\.org(/\S+)", str(mail.outbox[-1].body))
    assert found
    return found[1]


def choose(client: Client, link: str, password: str = NEW) -> HttpResponse:
    response: HttpResponse = client.post(link, {"new": password, "again": password})  # type: ignore[assignment]
    return response


def signs_in(password: str) -> bool:
    return check_credentials(caller="test", username="jane", password=password) is not None


def test_the_link_changes_the_password_once_and_ends_sessions(jane: User, client: Client) -> None:
    client.force_login(jane)
    link = link_of()
    jane.refresh_from_db()
    other = Client()
    assert other.get(link).status_code == 200
    assert choose(other, link).status_code == 302
    assert signs_in(NEW)
    assert not signs_in(PASSWORD)
    assert not Session.objects.filter(account=jane).exists()
    assert choose(other, link, "another long passphrase").status_code == 410
    assert AuditEntry.objects.get(action="password.changed").subject_id == jane.pk


def test_the_page_sends_it_and_tells_nothing(
    jane: User, client: Client, broker: Broker, django_capture_on_commit_callbacks: Any
) -> None:
    both = ("jane@example.com", "no@body.org")
    with django_capture_on_commit_callbacks(execute=True):
        answers = [client.post("/forgotten-password/", {"email": email}) for email in both]
    assert len({(answer.status_code, answer.headers["Location"]) for answer in answers}) == 1
    assert broker.hints() == [("notices.tasks.send", [])] * 2
    assert Notice.objects.count() == 2
    send_due()
    assert [message.to for message in mail.outbox] == [["jane@example.com"]]


def test_no_live_link_and_no_typed_address_is_stored(jane: User, client: Client) -> None:
    for email in ("jane@example.com", "no@body.org"):
        client.post("/forgotten-password/", {"email": email})
    send_due()
    assert "/reset-password/" in str(mail.outbox[0].body)
    stored = str(list(Notice.objects.values()))
    assert not any(word in stored for word in ("reset-password", "@", "jane"))


@pytest.mark.parametrize("why", ["too late", "access ended"])
def test_a_mail_that_waited_too_long_is_not_sent(jane: User, client: Client, why: str) -> None:
    client.post("/forgotten-password/", {"email": "jane@example.com"})
    if why == "access ended":
        end_access([jane.pk])
    with time_machine.travel(timezone.now() + timedelta(minutes=61 if why == "too late" else 1), tick=False):
        send_due()
    assert mail.outbox == []


@pytest.mark.parametrize("email", ["no@body.org", "gone@example.com", ""])
def test_nobody_else_is_written_to(jane: User, email: str) -> None:
    person("gone", status=Status.INACTIVE)
    send_reset_link(email)
    assert mail.outbox == []


def test_it_ends_with_time(jane: User, client: Client) -> None:
    link = link_of()
    with time_machine.travel(timezone.now() + timedelta(minutes=61), tick=False):
        assert client.get(link).status_code == 410


def test_it_does_not_come_back_with_the_account(jane: User, client: Client) -> None:
    root, link = superadmin(), link_of()
    deactivate(actor=root, account_id=jane.pk)
    assert client.get(link).status_code == 410
    reactivate(actor=root, account_id=jane.pk)
    assert choose(client, link).status_code == 410
    assert signs_in(PASSWORD)


def test_a_weak_password_is_refused_in_words(jane: User, client: Client) -> None:
    response = choose(client, link_of(), "12345678")
    assert response.status_code == 200
    assert "entirely numeric" in response.content.decode()
    assert signs_in(PASSWORD)


def test_a_link_of_somebody_else_opens_nothing(jane: User, client: Client) -> None:
    other = person("other")
    link = link_of().replace(f"/{jane.pk}/", f"/{other.pk}/")
    assert client.get(link).status_code == 410


def test_asking_is_throttled_but_does_not_lock_sign_in(jane: User, client: Client, settings: Settings) -> None:
    settings.SIGN_IN_FAILURE_LIMIT = 2
    codes = [client.post("/forgotten-password/", {"email": "jane@example.com"}).status_code for _ in range(3)]
    assert codes == [302, 302, 429]
    assert signs_in(PASSWORD)
