"""Mails that are owed: each recipient apart, at least once, and not for ever."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from django.core import mail
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from audit.models import AuditEntry
from notices import services, tasks
from notices.letters import Letter, writes
from notices.models import Notice
from notices.tests.mailserver import MailServer, mail_server
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
KIND = "test.hello"
START = datetime(2026, 5, 4, 12, 0, tzinfo=timezone.get_default_timezone())


@writes(KIND)
def hello(notice: Notice) -> Letter | None:
    account = User.objects.get(pk=notice.recipient_id)
    if account.first_name == "Nobody":
        return None
    if account.first_name == "Broken":
        raise ValueError(account.email)
    return Letter(notice.address or account.email, "Hello", "Text")


@pytest.fixture
def server(settings: Settings) -> Iterator[MailServer]:
    with mail_server() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.server_address[1]
        yield server


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as clock:
        yield clock


def person(name: str, **fields: str) -> User:
    account: User = UserFactory.create(username=name, email=f"{name}@example.com", **fields)
    return account


def owe(*accounts: User, about: int | None = 7, address: str = "") -> None:
    services.queue(KIND, [account.pk for account in accounts], about=about, address=address)


def states() -> dict[str, int]:
    return {state: Notice.objects.filter(state=state).count() for state in Notice.State.values}


def test_one_refused_address_repeats_and_blocks_no_other(server: MailServer, clock: time_machine.Traveller) -> None:
    server.refused["b@example.com"] = 550
    owe(person("a"), person("b"), person("c"))
    for _ in range(20):
        tasks.send()
        clock.shift(timedelta(hours=3))
    assert sorted(server.taken) == ["a@example.com", "c@example.com"]
    assert states() == {"waiting": 0, "sent": 2, "dropped": 0, "failed": 1}
    failed = Notice.objects.get(state="failed")
    assert (failed.tries, failed.error) == (len(services.WAITS) + 1, "smtp_550")
    assert services.undelivered(KIND, 7) == 1
    entry = AuditEntry.objects.get(action="notice.failed")
    assert (entry.subject_id, entry.detail["error"]) == (failed.recipient_id, "smtp_550")


def test_waits_grow_between_the_tries(server: MailServer, clock: time_machine.Traveller) -> None:
    server.refused["a@example.com"] = 451
    owe(person("a"))
    waits = []
    for _ in services.WAITS:
        tasks.send()
        due = Notice.objects.get().next_at
        waits.append((due - timezone.now()).total_seconds())
        assert services.send_due() == 0
        clock.move_to(due)
    assert waits == list(services.WAITS)
    server.refused.clear()
    tasks.send()
    assert server.taken == ["a@example.com"]


def test_what_a_mail_server_says_of_a_person_is_kept_nowhere(
    server: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.refused["a@example.com"] = 550
    owe(person("a"))
    with caplog.at_level(logging.DEBUG):
        tasks.send()
    assert "you know whom" not in caplog.text + str(list(Notice.objects.values()))
    assert "a@example.com" not in caplog.text


def test_a_mail_server_that_is_away_costs_one_try_a_round(settings: Settings, clock: time_machine.Traveller) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    owe(person("a"), person("b"))
    assert services.send_due() == 1
    assert sorted(Notice.objects.values_list("tries", "error")) == [(0, ""), (1, "unreachable")]


def test_a_broken_mail_blocks_no_other() -> None:
    owe(person("a", first_name="Broken"), person("b"))
    tasks.send()
    assert [letter.to for letter in mail.outbox] == [["b@example.com"]]
    assert Notice.objects.get(state="waiting").error == "error_ValueError"


def test_nobody_left_to_write_to_is_no_failure() -> None:
    owe(person("a", first_name="Nobody"))
    tasks.send()
    assert states() == {"waiting": 0, "sent": 0, "dropped": 1, "failed": 0}
    assert mail.outbox == []


def test_one_thing_is_told_once() -> None:
    account = person("a")
    for _ in range(3):
        owe(account)
        tasks.send()
    assert len(mail.outbox) == 1
    owe(account, about=8)
    tasks.send()
    assert len(mail.outbox) == 2


def test_a_mail_is_owed_with_its_cause_or_not_at_all() -> None:
    with suppress(KeyError), transaction.atomic():
        owe(person("a"))
        raise KeyError
    assert not Notice.objects.exists()


def test_where_it_went_is_not_kept(clock: time_machine.Traveller) -> None:
    owe(person("a"), address="before@example.org")
    tasks.send()
    assert [letter.to for letter in mail.outbox] == [["before@example.org"]]
    assert "before" not in str(list(Notice.objects.values()))
    clock.shift(services.KEEP + timedelta(seconds=1))
    assert tasks.forget() == 1


def test_an_erased_person_is_written_to_no_more() -> None:
    one, other = person("a"), person("b")
    owe(one, other, address="old@example.org")
    services.forget_person(one.pk)
    tasks.send()
    assert [notice.recipient_id for notice in Notice.objects.all()] == [other.pk]


def test_what_a_killed_worker_took_is_sent_by_another(
    clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(notice: Notice) -> None:
        raise SystemExit

    owe(person("a"))
    with monkeypatch.context() as killed:
        killed.setattr(services, "_send", die)
        with pytest.raises(SystemExit):
            tasks.send()
    assert services.send_due() == 0
    clock.shift(services.LEASE)
    tasks.send()
    assert len(mail.outbox) == 1


@pytest.mark.django_db(transaction=True)
def test_many_workers_send_each_mail_once(server: MailServer) -> None:
    people = [person(f"p{number}") for number in range(40)]
    owe(*people)

    def work(_: int) -> int:
        try:
            return services.send_due()
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(work, range(8))) == 40
    assert sorted(server.taken) == sorted(account.email for account in people)


def test_mail_files_are_for_the_portal_alone(settings: Settings, tmp_path: Path) -> None:
    settings.EMAIL_BACKEND, settings.EMAIL_FILE_PATH = "notices.files.EmailBackend", str(tmp_path / "mail")
    owe(person("a"))
    tasks.send()
    (file,) = (tmp_path / "mail").iterdir()
    assert "To: a@example.com" in file.read_text()
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
