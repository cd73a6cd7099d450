"""What a merge does to link groups.

The source leaves its group: inside one group it just goes; otherwise the destination takes its place, and two groups
unite. Pairs and links tell of the past and stay, since they say what was owed and why. New pairs begin with the merge
and no link, so that old records yield nothing because of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.db import connection

from linking.models import Link, Membership, Pair
from linking.owed import PEND_MISSING, SUPERSEDE_SURPLUS
from linking.services.groups import member_ids
from merging.errors import UndoRefused
from merging.handlers import Case, Change, Claim, MergeHandler, Move, Notice, Outcome, Watched, register, stays
from merging.models import JournalEntry, Merge

LABEL = Membership._meta.label


@register
class LinkHandler(MergeHandler):
    """Memberships change, pairs are added, what happened before stays told.

    Names the two accounts alone: the others of a group may be unknown to whoever merges.
    """

    key = section = "links"
    claims = (
        Claim(Membership, "user"),
        Claim(Link, "account"),
        Claim(Link, "other"),
        Claim(Pair, "account"),
        Claim(Pair, "counterpart"),
    )

    def plan(self, case: Case) -> Iterator[Change | Move]:
        yield from _leave(case)
        yield from _pair_up(case)
        for claim in self.claims[1:]:
            verdict = stays(case.source.pk, "it tells what was linked before", claim.attname)
            yield self.move_all(case, claim, verdict)

    def describe(self, row: Any) -> tuple[str, dict[str, Any]]:
        if isinstance(row, Pair):
            return "Equivalencies between linked accounts", {"linked_at": row.linked_at}
        return "Link between accounts", {"created_at": row.created_at}

    def companions(self, account_ids: Iterable[int]) -> set[int]:
        wanted = set(account_ids)
        return member_ids(wanted) - wanted

    def watches(self, case: Case) -> Iterable[Watched]:
        groups = "SELECT group_id FROM linking_membership WHERE user_id IN (%s, %s)"
        yield Watched(Membership, f"t.group_id IN ({groups})", (case.source.pk, case.destination.pk))

    def warnings(self, case: Case) -> Iterable[Notice]:
        source, destination = _others(case.source.pk), _others(case.destination.pk)
        if source and destination and not source & (destination | {case.destination.pk}):
            yield Notice(
                "link_groups_unite",
                "Both accounts are linked to others. The merge unites them all into one group, and there is no unlinking "
                "but by undoing the merge.",
            )

    def check_undo(self, merge: Merge) -> None:
        """Refuse when links were made since on the ground of this merge.

        Otherwise the two are strangers again: what one received on the other's behalf meanwhile is superseded, and
        what the source missed is put into the outbox.
        """
        changed = JournalEntry.objects.filter(merge=merge, model=LABEL).exclude(kind=JournalEntry.Kind.STAY)
        members = member_ids([merge.source_id, merge.destination_id])
        later = Pair.objects.filter(account__in=members, link__isnull=False, linked_at__gt=merge.performed_at)
        if changed.exists() and later.exists():
            detail = "Accounts were linked to this group since the merge, and links can't be taken back."
            raise UndoRefused(detail, code="linked_since")
        if not Pair.objects.filter(account__in=members).exists():
            return  # the common case: whoever is owed anything is paired
        with connection.cursor() as cursor:
            cursor.execute(SUPERSEDE_SURPLUS, [list(members), list(members)])
            cursor.execute(PEND_MISSING, [merge.source_id, merge.source_id])


def _leave(case: Case) -> Iterator[Change]:
    """What becomes of the memberships."""
    source, destination = _membership(case.source.pk), _membership(case.destination.pk)
    if source is None:
        return
    if source.group_id is None:
        yield _regroup(source, None, "it had left its group before", stays=True)
    elif destination is None:
        users = {"user_id": source.user_id}, {"user_id": case.destination.pk}
        yield _membership_change(source, *users, "the destination takes its place in the group")
    elif destination.group_id == source.group_id:
        yield from _leave_common_group(source, destination)
    else:
        yield _regroup(source, None, "the destination takes its place in the group", stays=True)
        yield from _unite(source, destination)


def _leave_common_group(source: Membership, destination: Membership) -> Iterator[Change]:
    yield _regroup(source, None, "an account isn't linked to itself", stays=True)
    if Membership.objects.filter(group=source.group_id).count() == 2:
        yield _regroup(destination, None, "nobody is left to be linked to")


def _unite(source: Membership, destination: Membership) -> Iterator[Change]:
    if destination.group_id is None:
        yield _regroup(destination, source.group_id, "it takes the source's place in the group")
        return
    for member in Membership.objects.filter(group=source.group_id).exclude(pk=source.pk).order_by("id"):
        yield _regroup(member, destination.group_id, "the two groups unite", is_other=True)


def _regroup(
    member: Membership, group_id: int | None, reason: str, *, stays: bool = False, is_other: bool = False
) -> Change:
    """Another group, or none. `stays`: the row is the source's, and says so, since every row of the source is spoken of."""
    owner = {"user_id": member.user_id} if stays else {}
    groups = {"group_id": member.group_id} | owner, {"group_id": group_id} | owner
    return _membership_change(member, *groups, reason, "Another linked account" if is_other else str(member.user))


def _membership_change(
    member: Membership, before: dict[str, Any], after: dict[str, Any], reason: str, who: str = ""
) -> Change:
    outcome = Outcome.CHANGED
    if before == after:
        outcome = Outcome.STAYS
    elif before.get("user_id") != after.get("user_id"):
        outcome = Outcome.MOVED
    elif after["group_id"] is None:
        outcome = Outcome.SUPERSEDED
    return Change(Membership, member.pk, before, after, outcome, reason, f"{who or member.user}: link group")


def _pair_up(case: Case) -> Iterator[Change]:
    """The destination, and all that it is linked to, are one person with the accounts that the source was linked to."""
    ours = _others(case.destination.pk) | {case.destination.pk}
    theirs = _others(case.source.pk)
    if case.destination.pk in theirs:
        return
    for one in sorted(ours):
        for other in sorted(theirs):
            for account, counterpart in ((one, other), (other, one)):
                what = " counts for ".join(_named(case, pk) for pk in (account, counterpart))
                after = {"link_id": None, "account_id": account, "counterpart_id": counterpart}
                yield Change(Pair, None, None, after, Outcome.ADDED, "they are one person now", what)


def _named(case: Case, account_id: int) -> str:
    return f"account {account_id}" if account_id == case.destination.pk else "another linked account"


def _membership(account_id: int) -> Membership | None:
    return Membership.objects.filter(user=account_id).select_related("user").first()


def _others(account_id: int) -> set[int]:
    return member_ids([account_id]) - {account_id}
