"""The mail that tells a person of their merge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.template.loader import render_to_string

from merging.models import Merge
from notices.letters import Letter, writes
from notices.models import Notice

if TYPE_CHECKING:
    from accounts.models import User

KIND = "merge.done"


def people_to_tell(merge: Merge) -> list[int]:
    """Both accounts of the merge, one alone when they share an address, none without an address that works."""
    by_address = {one.email.lower(): one.pk for one in (merge.destination, merge.source) if _is_reachable(one)}
    return list(by_address.values())


@writes(KIND)
def letter_about_merge(notice: Notice) -> Letter | None:
    """Which account to use from now on. To nobody once the merge is undone."""
    merge = Merge.objects.select_related("source", "destination").filter(pk=notice.about or 0, status="done").first()
    account = (
        next((one for one in (merge.source, merge.destination) if one.pk == notice.recipient_id), None)
        if merge
        else None
    )
    if merge is None or account is None or not _is_reachable(account):
        return None
    context = {"merge": merge, "source": merge.source, "destination": merge.destination}
    subject = render_to_string("emails/merged_subject.txt", context).strip()
    text, html = (render_to_string(f"emails/merged.{kind}", context) for kind in ("txt", "html"))
    return Letter(account.email, subject, text, html)


def _is_reachable(account: User) -> bool:
    return bool(account.email) and account.email_state != "bounced"
