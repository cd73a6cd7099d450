"""The group of an account, on any page."""

from __future__ import annotations

from typing import Any

from django import template

from accounts.models import User
from linking.picture import draw
from linking.services.groups import group_of

register = template.Library()


@register.inclusion_tag("linking/_group.html")
def link_group(account: User, actor: User) -> dict[str, Any]:
    """Who is linked to this account, who linked whom and when; only accounts that `actor` may see, or one's own."""
    group = group_of(account.pk)
    if group is None:
        return {"picture": None}
    ids = {member.account.pk for member in group.members}
    named = ids | {pk for link in group.links for pk in (link.account_id, link.other_id)}
    seen = (
        named
        if account.pk == actor.pk
        else set(User.objects.visible_to(actor).filter(pk__in=named).values_list("id", flat=True))
    )
    return {
        "picture": draw(group, seen) if len(seen & ids) > 1 else None,
        "account": account,
        "links_to_people": account.pk != actor.pk,
    }
