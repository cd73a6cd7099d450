"""Row locks on accounts, always in id order; the account that acts is locked among those that it acts on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Final

from django.db import connection

from accounts.models import Status

# Each account and all that it was merged into, one after the other. UNION ends at a circle, should there ever be one.
CHAINS = """
    WITH RECURSIVE chain(id) AS (
        SELECT unnest(%s::bigint[])
        UNION SELECT u.merged_into_id FROM accounts_user u JOIN chain ON u.id = chain.id
        WHERE u.merged_into_id IS NOT NULL AND u.status <> 'active'
    ) SELECT id FROM chain
"""
# A part for each run of neighbouring ids that are locked alike. PostgreSQL appends the parts one after the other.
PART = """
    run{place} AS MATERIALIZED (
        SELECT id, status, merged_into_id FROM accounts_user WHERE id = ANY(%s::bigint[]) ORDER BY id FOR {strength}
    )
"""
# The weakest lock that a merge, a deactivation and a deletion exclude. They hold FOR UPDATE on the account that they
# end; whoever writes for it waits here, and PostgreSQL then hands over the row as they left it.
WRITTEN = "KEY SHARE"
# Whoever takes a right, a role, an assignment or the account itself away holds FOR NO KEY UPDATE at least: they wait for
# the writes under way, and who writes after them sees it. Writes of one actor don't wait for each other.
ACTS = "SHARE"
LARGEST: Final = 2**63 - 1  # what a larger id names can't exist
CHANGED, ENDED = "NO KEY UPDATE", "UPDATE"

Row = tuple[str, int | None]


def lock_targets(account_ids: Iterable[int], actor_id: int | None) -> dict[int, int]:
    """Lock these accounts and the actor in the caller's transaction; returns, for each, the account to write to.

    That is the account itself, or its survivor when it was merged and isn't active any more: nothing lands on a dead
    account. Unknown accounts, and deleted ones without a survivor, are missing from the result.
    """
    wanted = set(account_ids)
    strengths = dict.fromkeys(_chains(wanted), WRITTEN)
    if actor_id is not None:
        strengths[actor_id] = ACTS
    locked = lock(strengths)
    while ahead := _ahead(locked):  # merged between the two statements: seldom, so that the order doesn't matter
        locked |= lock(dict.fromkeys(ahead, WRITTEN))
    targets = {account: _target(account, locked) for account in wanted}
    return {account: target for account, target in targets.items() if target is not None}


def lock_to_change(
    *account_ids: int, ends: bool = False, others: Iterable[int] = (), actor_id: int | None = None
) -> None:
    """Lock accounts that an act changes, others that it depends on, and the actor, in the caller's transaction.

    FOR UPDATE when the act ends the accounts, so that nothing may be written for them meanwhile; FOR NO KEY UPDATE
    otherwise: no other change, but their learning goes on. Read what you decide by after this, not before.
    """
    strengths = {actor_id: ACTS} if actor_id is not None else {}
    strengths |= dict.fromkeys(others, CHANGED)
    strengths |= dict.fromkeys(account_ids, ENDED if ends else CHANGED)
    lock(strengths)


def lock(strengths: Mapping[int, str]) -> dict[int, Row]:
    """Lock accounts in id order, each as strongly as asked, by one statement; returns status and survivor of each."""
    known = sorted(pk for pk in strengths if pk <= LARGEST)
    if not known:
        return {}
    runs = [(strength, list(ids)) for strength, ids in groupby(known, strengths.__getitem__)]
    parts = ", ".join(PART.format(place=place, strength=strength) for place, (strength, _) in enumerate(runs))
    rows = " UNION ALL ".join(f"SELECT * FROM run{place}" for place in range(len(runs)))  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {parts} {rows}", [ids for _, ids in runs])
        return {pk: (status, merged_into) for pk, status, merged_into in cursor.fetchall()}


def _chains(account_ids: set[int]) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(CHAINS, [[pk for pk in account_ids if pk <= LARGEST]])
        return {pk for (pk,) in cursor.fetchall()}


def _ahead(locked: Mapping[int, Row]) -> set[int]:
    """Survivors that aren't locked yet."""
    return {into for status, into in locked.values() if into is not None and status != Status.ACTIVE} - locked.keys()


def _target(account_id: int, locked: Mapping[int, Row]) -> int | None:
    while account_id in locked:
        status, into = locked[account_id]
        if status == Status.ACTIVE or (status == Status.INACTIVE and into is None):
            return account_id
        if into is None:
            return None
        account_id = into
    return None
