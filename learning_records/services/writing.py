"""What all writes of this app share: which account they write to, and the moment at which they happen."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import connection

from accounts.services import lock_for_writing
from learning_records.errors import StateForbids


def lock_accounts(account_ids: Iterable[int]) -> dict[int, int]:
    """Lock the accounts and say where each one's data goes. Raises StateForbids when one was deleted."""
    wanted = set(account_ids)
    targets = lock_for_writing(wanted)
    if gone := sorted(wanted - targets.keys()):
        raise StateForbids("The account was deleted.", code="account_deleted", facts={"accounts": gone})
    return targets


def lock_account(account_id: int) -> int:
    """As lock_accounts, for one."""
    return lock_accounts([account_id])[account_id]


def moment() -> datetime:
    """The database's clock, now: later than every lock that this transaction already holds."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    return now  # type: ignore[no-any-return]
