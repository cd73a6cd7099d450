"""What all writes of this app share: which account they write to, and the moment at which they happen."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import connection

from accounts.models import Status, User
from learning_records.errors import StateForbids

try:
    from accounts.services import lock_for_writing
except ImportError:

    def lock_for_writing(account_ids: Iterable[int]) -> dict[int, int]:
        """Lock in id order; a merged, inactive account's data goes to its survivor."""
        rows = {u.pk: u for u in User.objects.all().filter(pk__in=account_ids).order_by("id")}
        return {pk: u.survivor().pk if u.merged_into_id and not u.is_active else pk for pk, u in rows.items()}


def lock_accounts(account_ids: Iterable[int]) -> dict[int, int]:
    """Lock the accounts and say where each one's data goes. Raises StateForbids for a deleted account."""
    wanted = set(account_ids)
    targets = lock_for_writing(wanted)
    deleted = User.objects.filter(pk__in=set(targets.values()), status=Status.DELETED).values_list("id", flat=True)
    if gone := sorted(deleted):
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
