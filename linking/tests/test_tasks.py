"""The three wakers, and the mails about a link."""

from __future__ import annotations

from io import StringIO

import pytest
from django.conf import settings
from django.core import mail
from django.core.management import call_command
from django.utils import timezone

from accounts.models import User
from linking import notices, tasks
from linking.tests.cast import earn, equivalencies, link, person
from notices.models import Notice

pytestmark = pytest.mark.django_db


@pytest.fixture
def linked() -> tuple[User, User]:
    doe, smith = person("doe"), person("smith")
    link(doe, smith)
    return doe, smith


def test_the_hint_issues_what_is_owed(linked: tuple[User, User]) -> None:
    record = earn(linked[0])
    assert tasks.issue_owed() == 1
    assert equivalencies(linked[1]) == {record.pk}


@pytest.mark.covers("S0.30")
def test_beat_sweeps_every_few_seconds(linked: tuple[User, User]) -> None:
    entry = settings.CELERY_BEAT_SCHEDULE["linking-sweep"]
    assert entry["task"] == "linking.tasks.sweep"
    assert entry["schedule"].run_every.total_seconds() <= 5
    record = earn(linked[1])
    tasks.sweep()
    assert equivalencies(linked[0]) == {record.pk}
    assert len(mail.outbox) == 2


def test_the_command_issues_without_celery(linked: tuple[User, User]) -> None:
    earn(linked[0])
    out = StringIO()
    call_command("issue_owed", stdout=out)
    assert out.getvalue() == "Equivalencies issued: 1\n"


def test_every_member_is_told_once(linked: tuple[User, User]) -> None:
    third = person("third")
    person("elsewhere")
    link(third, linked[0])
    assert tasks.tell_of_links() == 2
    assert sorted(message.to[0] for message in mail.outbox) == sorted(
        f"{name}@example.org" for name in ("doe", "smith", "third") * 2
    )
    assert "Links can't be taken back" in str(mail.outbox[0].body)
    assert tasks.tell_of_links() == 0


def test_nobody_without_access_or_address_is_told(linked: tuple[User, User]) -> None:
    User.objects.filter(pk=linked[0].pk).update(status="inactive")
    User.objects.filter(pk=linked[1].pk).update(email="")
    assert notices.tell_members() == 1
    assert mail.outbox == []


def test_a_member_whose_address_is_refused_keeps_nobody_from_being_told(linked: tuple[User, User]) -> None:
    User.objects.filter(pk=linked[0].pk).update(email="no address\nat all")
    for _ in range(3):
        notices.tell_members()
        Notice.objects.update(next_at=timezone.now())
    assert [message.to for message in mail.outbox] == [[linked[1].email]]
    assert Notice.objects.get(recipient=linked[0]).state == "waiting"
