"""Every member is told of a link. The link itself is the queue: untold until its mails were handed over."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Final

from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone

from accounts.models import User
from linking.models import Link
from linking.services.groups import group_of

BATCH: Final = 200
logger = logging.getLogger(__name__)


def tell_members() -> int:
    """Mail the members of all links that nobody was told of; how many links. Another worker's links are left to it."""
    untold = Link.objects.filter(told_at=None).order_by("id").values_list("id", flat=True)
    return sum(_try(link_id) for link_id in list(untold[:BATCH]))


def _try(link_id: int) -> bool:
    """A mail that can't be sent is tried again by the next sweep, and holds no other up."""
    try:
        return _tell(link_id)
    except OSError:  # what smtplib and sockets raise
        logger.exception("The members of link %s couldn't be told", link_id)
        return False


@transaction.atomic
def _tell(link_id: int) -> bool:
    # SKIP LOCKED: another worker is telling of it. A crash after the mails tells twice, never not at all.
    waiting = Link.objects.filter(pk=link_id, told_at=None).select_for_update(skip_locked=True, of=("self",))
    link = waiting.select_related("account", "other").first()
    if link is None:
        return False
    group = group_of(link.account.survivor().pk)
    members = [member.account for member in group.members] if group else []
    get_connection().send_messages(list(_messages(link, members)))
    link.told_at = timezone.now()
    link.save(update_fields=["told_at"])
    return True


def _messages(link: Link, members: list[User]) -> Iterable[EmailMessage]:
    for member in members:
        if member.email and member.is_active:
            others = [account for account in members if account != member]
            body = render_to_string("emails/linked.txt", {"link": link, "member": member, "others": others})
            yield EmailMessage("Your accounts were linked", body, to=[member.email])
