"""Every member is told of a link. The link itself is the queue, until the mails to its members are owed."""

from __future__ import annotations

from typing import Final

from django.db import transaction
from django.utils import timezone

import notices.services
from linking.mails import KIND
from linking.models import Link
from linking.services.groups import group_of

BATCH: Final = 200


def tell_members() -> int:
    """Owe mails to the members of all links that nobody was told of, and send what is due; how many links."""
    untold = Link.objects.filter(told_at=None).order_by("id").values_list("id", flat=True)
    told = sum(_tell(link_id) for link_id in list(untold[:BATCH]))
    notices.services.send_due()
    return told


@transaction.atomic
def _tell(link_id: int) -> bool:
    # SKIP LOCKED: another worker is at it. NO KEY UPDATE: progress and pairs refer to the link meanwhile
    waiting = Link.objects.filter(pk=link_id, told_at=None)
    link = waiting.select_for_update(skip_locked=True, no_key=True, of=("self",)).select_related("account").first()
    if link is None:
        return False
    group = group_of(link.account.survivor().pk)
    members = [member.account for member in group.members] if group else []
    recipients = [member.pk for member in members if member.email and member.is_active]
    notices.services.queue(KIND, recipients, about=link.pk)
    link.told_at = timezone.now()
    link.save(update_fields=["told_at"])
    return True
