"""Who is in a group, and how it came about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection
from django.db.models import Q, QuerySet

from accounts.models import Status, User
from linking.models import Link, LinkGroup, Membership


@dataclass(frozen=True)
class Member:
    """An account in a group, since when."""

    account: User
    since: datetime


@dataclass(frozen=True)
class Group:
    """The accounts of one person, with the acts that united them, oldest first."""

    id: int
    created_at: datetime
    members: Sequence[Member]
    links: Sequence[Link] = field(default_factory=list)

    def others(self, account_id: int) -> list[Member]:
        """Everybody but this account."""
        return [member for member in self.members if member.account.pk != account_id]


# As SQL, since merges ask for it more often than for anything else
_FELLOWS = """
    SELECT user_id FROM linking_membership
    WHERE group_id IN (SELECT group_id FROM linking_membership WHERE user_id = ANY(%s))
"""


def member_ids(account_ids: Iterable[int]) -> set[int]:
    """These accounts and all that are in one group with any of them."""
    wanted = set(account_ids)
    with connection.cursor() as cursor:
        cursor.execute(_FELLOWS, [list(wanted)])
        return wanted | {account for (account,) in cursor.fetchall()}


def group_of(account_id: int) -> Group | None:
    """The group of an account, deleted members left out; None: it is linked to nobody."""
    group = LinkGroup.objects.filter(memberships__user=account_id).first()
    if group is None:
        return None
    rows = Membership.objects.filter(group=group).exclude(user__status=Status.DELETED).select_related("user")
    members = [Member(row.user, row.created_at) for row in rows.order_by("user_id")]
    return Group(group.pk, group.created_at, members, list(links_among(member.account.pk for member in members)))


def links_among(account_ids: Iterable[int]) -> QuerySet[Link]:
    """The acts in which any of these accounts, or one that was merged into it, took part; oldest first."""
    ids = set(account_ids)
    mine = Q(account__in=ids) | Q(other__in=ids) | Q(account__merged_into__in=ids) | Q(other__merged_into__in=ids)
    return Link.objects.filter(mine).select_related("account", "other").order_by("id")
