"""Owing a mail, and sending what is owed: each recipient apart, at least once, and not for ever."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import timedelta
from smtplib import SMTPRecipientsRefused, SMTPResponseException
from time import monotonic
from typing import Any, Final

from django.db import DatabaseError, transaction
from django.utils import timezone

import audit.services
from notices.letters import written
from notices.models import Notice

# Seconds until the next try, after the first, second… failure; a bit more than a day in all.
WAITS: Final = (30, 300, 1800, 7200, 28_800, 57_600)
LEASE: Final = timedelta(minutes=5)  # of a worker that died: then another sends it
KEEP: Final = timedelta(days=30)
logger = logging.getLogger(__name__)


def queue(
    kind: str,
    recipients: Iterable[int | None],
    *,
    about: int | None = None,
    address: str = "",
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Owe a mail to each of these accounts. Call it in the transaction of the act, then hint at `notices.tasks.send`.

    A mail of one kind about one thing is owed to an account once, however often this is called.
    """
    Notice.objects.bulk_create(
        [
            Notice(kind=kind, recipient_id=recipient, about=about, address=address, facts=dict(facts or {}))
            for recipient in recipients
        ],
        ignore_conflicts=True,
    )


def queue_to(kind: str, recipients: Iterable[tuple[int, str]]) -> None:
    """Owe a mail to each account at an address that isn't its own any more; as `queue`, in one statement."""
    Notice.objects.bulk_create([Notice(kind=kind, recipient_id=pk, address=address) for pk, address in recipients])


def send_due(seconds: float = 20) -> int:
    """Send what is due, the longest waiting first, for about that long; how many were tried.

    Several workers may do so at once. A mail that fails is tried again later and holds no other up; a mail server
    that can't be reached ends the round.
    """
    end, tried = monotonic() + seconds, 0
    while monotonic() < end:
        notice = _claim()
        if notice is None:
            break
        tried += 1
        if not _send(notice):
            break
    return tried


def undelivered(kind: str, about: int) -> int:
    """How many mails of this kind about this thing were given up."""
    return Notice.objects.filter(kind=kind, about=about, state=Notice.State.FAILED).count()


def forget_old() -> int:
    """Delete mails that ended long ago; how many."""
    return Notice.objects.filter(ended_at__lt=timezone.now() - KEEP).delete()[0]


def forget_person(account_id: int) -> None:
    """Delete every mail to an account that is erased, sent or not."""
    Notice.objects.filter(recipient=account_id).delete()


def _claim() -> Notice | None:
    """The next one that is due, counted as tried, and due again should this worker die."""
    now = timezone.now()
    with transaction.atomic():
        due = Notice.objects.filter(state=Notice.State.WAITING, next_at__lte=now).order_by("next_at", "pk")
        # SKIP LOCKED: another worker claims it. NO KEY UPDATE: nothing refers to it
        notice = due.select_for_update(skip_locked=True, no_key=True).first()
        if notice is not None:
            notice.tries, notice.next_at = notice.tries + 1, now + LEASE
            notice.save(update_fields=["tries", "next_at"])
    return notice


def _send(notice: Notice) -> bool:
    """Send one; whether the mail server seems to be there for others too."""
    try:
        letter = written(notice)
        if letter is not None:
            letter.send()
    except DatabaseError:
        raise
    except Exception as error:
        _fail(notice, _code(error))
        return not isinstance(error, OSError) or isinstance(error, SMTPRecipientsRefused | SMTPResponseException)
    _end(notice, Notice.State.DROPPED if letter is None else Notice.State.SENT)
    return True


def _code(error: Exception) -> str:
    """What went wrong, without the text: mail servers repeat the address there."""
    if isinstance(error, SMTPRecipientsRefused):
        return next((f"smtp_{code}" for code, _ in error.recipients.values()), "smtp_refused")
    if isinstance(error, SMTPResponseException):
        return f"smtp_{error.smtp_code}"
    return "unreachable" if isinstance(error, OSError) else f"error_{type(error).__name__}"[:60]


def _fail(notice: Notice, code: str) -> None:
    notice.error = code
    logger.warning("Mail %s (%s) failed: %s", notice.pk, notice.kind, code)
    if notice.tries > len(WAITS):
        _give_up(notice)
        return
    wait = timezone.now() + timedelta(seconds=WAITS[notice.tries - 1])
    Notice.objects.filter(pk=notice.pk).update(error=code, next_at=wait)


def _give_up(notice: Notice) -> None:
    detail = {"kind": notice.kind, "about": notice.about, "error": notice.error, "tries": notice.tries}
    with transaction.atomic():
        _end(notice, Notice.State.FAILED)
        audit.services.record("notice.failed", actor_id=None, subject_id=notice.recipient_id, detail=detail)


def _end(notice: Notice, state: Notice.State) -> None:
    """Nothing is left to be sent: keep when and what, not where to. It may have been erased meanwhile."""
    Notice.objects.filter(pk=notice.pk).update(
        state=state, error=notice.error, address="", facts={}, ended_at=timezone.now()
    )
