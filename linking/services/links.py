"""Linking: two groups become one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.utils.crypto import constant_time_compare

import audit.services
from accounts.devices import Device
from accounts.models import Status, User
from accounts.services import check_credentials
from linking.errors import AccountsAreBusy, CallerMayNotLink, CredentialsRefused, GroupIsFull, OwnAccount
from linking.models import Link, LinkGroup, Membership, Pair
from linking.owed import COUNT_OF_LINK
from linking.services.groups import links_among, member_ids
from rest_contract.outages import is_busy

ATTEMPTS: Final = 5


@dataclass(frozen=True)
class Linked:
    """The outcome: the group, and the link that united these two (another of the group when a merge did)."""

    group_id: int
    link: Link | None
    is_new: bool


class _GroupsHaveMoved(Exception):
    """A group grew while its members were being locked."""


def prove_and_link(
    *,
    caller: User,
    username: str,
    password: str,
    generate_equivalencies: bool,
    origin: str = "",
    device: Device | None = None,
) -> Linked:
    """Link the caller's account to another that they prove to be theirs, perhaps in a browser known to the other.

    Raises CredentialsRefused for every reason about the other account, OwnAccount, GroupIsFull, CallerMayNotLink,
    AccountsAreBusy, and the sign-in page's TooManyFailures.
    """
    check_caller(caller)
    other = check_credentials(caller=f"account {caller.pk}", username=username, password=password, device=device)
    if other is None or not _may_be_linked(other):
        raise CredentialsRefused
    return link_accounts(
        caller_id=caller.pk,
        other_id=other.pk,
        generate_equivalencies=generate_equivalencies,
        origin=origin,
        proofs={account.pk: account.get_session_auth_hash() for account in (caller, other)},
    )


def check_caller(caller: User) -> None:
    """Raise CallerMayNotLink for an account that never links: privileged, or merged into another."""
    if not _may_be_linked(caller):
        raise CallerMayNotLink


def link_accounts(
    *,
    caller_id: int,
    other_id: int,
    generate_equivalencies: bool,
    origin: str = "",
    proofs: Mapping[int, str] | None = None,
) -> Linked:
    """Unite the groups of two learners. In one group already: nothing changes.

    `proofs`: of each account the hash that its sign-in gave; a password that was changed since proves nothing. Raises OwnAccount, GroupIsFull, CredentialsRefused (the other may not be linked), AccountsAreBusy.
    """
    if caller_id == other_id:
        raise OwnAccount
    for _ in range(ATTEMPTS):
        try:
            with transaction.atomic():
                return _link(caller_id, other_id, generate_equivalencies, origin, proofs or {})
        except _GroupsHaveMoved:
            continue
        except OperationalError as error:
            if is_busy(error):
                raise AccountsAreBusy from error
            raise
    raise AccountsAreBusy


def _link(caller_id: int, other_id: int, generate: bool, origin: str, proofs: Mapping[int, str]) -> Linked:
    ours, theirs = _lock_both_groups(caller_id, other_id, proofs)
    if other_id in ours:
        return Linked(_group_id(ours), _earlier_link(caller_id, other_id), is_new=False)
    _check_size(ours | theirs)
    group_id = _unite(ours, theirs)
    link = Link.objects.create(account_id=caller_id, other_id=other_id, generates_equivalencies=generate)
    _pair(link, ours, theirs)
    _tell(link, group_id, ours | theirs, origin)
    return Linked(group_id, link, is_new=True)


def _lock_both_groups(caller_id: int, other_id: int, proofs: Mapping[int, str]) -> tuple[set[int], set[int]]:
    """Lock all members of both groups in id order, then read the groups again.

    FOR NO KEY UPDATE: no merge, deletion or other link of any member meanwhile; their learning goes on.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '10s'")
    wanted = member_ids([caller_id, other_id])
    locked = {
        user.pk: user for user in User.objects.select_for_update(no_key=True).filter(pk__in=wanted).order_by("id")
    }
    ours, theirs = member_ids([caller_id]), member_ids([other_id])
    if not ours | theirs <= locked.keys():
        raise _GroupsHaveMoved
    if not _may_be_linked(locked[caller_id]) or not _is_proved(locked[caller_id], proofs):
        raise CallerMayNotLink
    if not _may_be_linked(locked[other_id]) or not _is_proved(locked[other_id], proofs):
        raise CredentialsRefused
    return ours, theirs


def _is_proved(account: User, proofs: Mapping[int, str]) -> bool:
    proof = proofs.get(account.pk)
    return proof is None or constant_time_compare(proof, account.get_session_auth_hash())


def _may_be_linked(user: User) -> bool:
    return user.is_learner and user.is_active and user.merged_into_id is None


def _check_size(members: set[int]) -> None:
    present = User.objects.filter(pk__in=members).exclude(status=Status.DELETED).count()
    if present > settings.LINK_GROUP_LIMIT:
        limit = settings.LINK_GROUP_LIMIT
        raise GroupIsFull(f"At most {limit} accounts can be linked together; with this one there would be {present}.")


def _group_id(members: set[int]) -> int:
    return LinkGroup.objects.filter(memberships__user__in=members).values_list("id", flat=True)[0]


def _unite(ours: set[int], theirs: set[int]) -> int:
    """Put everybody into the older of the groups, or a new one."""
    members = ours | theirs
    groups = Membership.objects.filter(user__in=members, group__isnull=False).order_by("group_id")
    group_id = groups.values_list("group_id", flat=True).first() or LinkGroup.objects.create().pk
    Membership.objects.bulk_create(
        [Membership(user_id=user_id, group_id=group_id) for user_id in sorted(members)],
        update_conflicts=True,
        unique_fields=["user"],
        update_fields=["group"],
    )
    return group_id


def _pair(link: Link, ours: set[int], theirs: set[int]) -> None:
    """Say, both ways and at one moment, that everybody here is one person with everybody there."""
    now = _clock()
    both_ways = [pair for one in sorted(ours) for other in sorted(theirs) for pair in ((one, other), (other, one))]
    Pair.objects.bulk_create(
        Pair(link=link, account_id=account, counterpart_id=counterpart, linked_at=now)
        for account, counterpart in both_ways
    )
    if link.generates_equivalencies:
        with connection.cursor() as cursor:
            cursor.execute(COUNT_OF_LINK, [link.pk])
            (link.owed,) = cursor.fetchone()
        link.save(update_fields=["owed"])


def _clock() -> datetime:
    """The database's clock now, after all locks are held."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    return now  # type: ignore[no-any-return]


def _earlier_link(one: int, other: int) -> Link | None:
    """The link that united the two; when that was a merge, the latest of their group."""
    pair = Pair.objects.filter(account=one, counterpart=other, link__isnull=False).select_related("link").first()
    return pair.link if pair else links_among(member_ids([one])).last()


def _tell(link: Link, group_id: int, members: Iterable[int], origin: str) -> None:
    accounts = sorted(members)
    facts = {"link": link.pk, "group": group_id, "accounts": accounts, "linked_by": link.account_id}
    audit.services.announce("account.linked", facts, subject_id=link.account_id)
    detail = {**facts, "other": link.other_id, "generate_equivalencies": link.generates_equivalencies}
    acts = [(account_id, detail) for account_id in accounts]
    audit.services.record_all("account.linked", acts, actor_id=link.account_id, origin=origin)
