"""The mail that tells the members of a group of a new link."""

from __future__ import annotations

from django.template.loader import render_to_string

from linking.models import Link
from linking.services.groups import group_of
from notices.letters import Letter, writes
from notices.models import Notice

KIND = "account.linked"


@writes(KIND)
def letter_about_link(notice: Notice) -> Letter | None:
    """Who was linked, and to whom the recipient is linked now. To members with access and an address alone."""
    link = Link.objects.select_related("account", "other").filter(pk=notice.about or 0).first()
    group = group_of(link.account.survivor().pk) if link else None
    members = [member.account for member in group.members] if group else []
    member = next((one for one in members if one.pk == notice.recipient_id), None)
    if link is None or member is None or not member.email or not member.is_active:
        return None
    context = {"link": link, "member": member, "others": [one for one in members if one != member]}
    return Letter(member.email, "Your accounts were linked", render_to_string("emails/linked.txt", context))
