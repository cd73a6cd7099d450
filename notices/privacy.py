"""Mails that are owed hold an address where the account's own isn't meant."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Model, Q
from django.db.models.functions import Lower

from notices.models import Notice
from notices.services import forget_old
from privacy.person import Person
from privacy.registry import moments, not_personal, personal, purge


def _forget_mails(person: Person, model: type[Model], columns: Sequence[str]) -> None:
    """To the person's accounts and addresses, sent or not."""
    notices = Notice.objects.alias(lowered=Lower("address"))
    notices.filter(Q(recipient__in=list(person.ids)) | Q(lowered__in=person.lowered)).delete()


def _purge_mails(now: datetime) -> int:
    return forget_old()


moments("notices")
personal("notices.Notice", "address facts", erase=_forget_mails, kept="30 days")
not_personal("notices.Notice", "kind state error", "one of a few fixed words")
purge("mails that were sent or given up", after="30 days", run=_purge_mails)
