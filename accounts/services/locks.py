"""Row locks on accounts, always in id order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db import connection

from accounts.models import Status, User

# Each account and all that it was merged into, one after the other. UNION ends at a circle, should there ever be one.
CHAINS = """
    WITH RECURSIVE chain(id) AS (
        SELECT unnest(%s::bigint[])
        UNION SELECT u.merged_into_id FROM accounts_user u JOIN chain ON u.id = chain.id
        WHERE u.merged_into_id IS NOT NULL AND u.status <> 'active'
    ) SELECT id FROM chain
"""
# The weakest lock that a merge, a deactivation and a deletion exclude. They hold FOR UPDATE on the account that they
# end; whoever writes for it waits here, and PostgreSQL then hands over the row as they left it.
LOCK = """
    SELECT id, status, merged_into_id FROM accounts_user WHERE id = ANY(%s::bigint[]) ORDER BY id FOR KEY SHARE
"""

Row = tuple[str, int | None]


def lock_for_writing(account_ids: Iterable[int]) -> dict[int, int]:
    """Lock these accounts in the caller's transaction; answer, for each, the account to write to.

    That is the account itself, or its survivor when it was merged and isn't active any more: nothing lands on a dead
    account. Unknown accounts, and deleted ones without a survivor, are missing from the answer.
    """
    wanted = set(account_ids)
    locked = _lock(_chains(wanted))
    while ahead := _ahead(locked):  # merged between the two statements: seldom, so that the order doesn't matter
        locked |= _lock(ahead)
    targets = {account: _target(account, locked) for account in wanted}
    return {account: target for account, target in targets.items() if target is not None}


def lock_to_change(account_id: int, *, ends: bool = False, others: Iterable[int] = ()) -> None:
    """Lock an account that an act changes, and others that it depends on, in the caller's transaction.

    FOR UPDATE when the act ends the account, so that nothing may be written for it meanwhile; FOR NO KEY UPDATE
    otherwise: no other change, but its learning goes on. Read what you decide by after this, not before.
    """
    for pk in sorted({account_id, *others}):
        strong = ends and pk == account_id
        list(User.objects.select_for_update(no_key=not strong).filter(pk=pk).values_list("pk"))


def _chains(account_ids: set[int]) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(CHAINS, [list(account_ids)])
        return {pk for (pk,) in cursor.fetchall()}


def _lock(account_ids: Iterable[int]) -> dict[int, Row]:
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [list(account_ids)])
        return {pk: (status, merged_into) for pk, status, merged_into in cursor.fetchall()}


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
