"""What all writes of this app share: which account they write to, and the moment at which they happen."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final, TypeVar

from django.db import connection, transaction
from django.db.models import Model, QuerySet

from accounts.services import lock_for_writing, lock_owners
from learning_records.errors import StateForbids

ATTEMPTS: Final = 5
Row = TypeVar("Row", bound=Model)


def lock_accounts(account_ids: Iterable[int], actor_id: int | None) -> dict[int, int]:
    """Lock the accounts and the actor, check that the actor may write for them, and say where each one's data goes.

    Raises StateForbids when one was deleted, and the errors of accounts.services.lock_for_writing.
    """
    wanted = set(account_ids)
    targets = lock_for_writing(wanted, actor_id=actor_id)
    _refuse_deleted(wanted - targets.keys())
    return targets


def lock_account(account_id: int, actor_id: int | None) -> int:
    """As lock_accounts, for one."""
    return lock_accounts([account_id], actor_id)[account_id]


def _refuse_deleted(gone: set[int]) -> None:
    if gone:
        raise StateForbids("The account was deleted.", code="account_deleted", facts={"accounts": sorted(gone)})


def lock_row(rows: QuerySet[Row], pk: int, actor_id: int | None) -> Row:
    """A row with an owner in `user`, locked after its account, as all writers do.

    FOR NO KEY UPDATE: one change at a time. When a merge moved the row meanwhile, both locks are given back and taken
    anew in the right order. Raises DoesNotExist, StateForbids when the account was deleted, and UnknownAccount and
    NotAllowed when the actor may not write for it.
    """
    for _ in range(ATTEMPTS):
        mark = transaction.savepoint()
        owner = rows.model._default_manager.values_list("user_id", flat=True).get(pk=pk)
        _refuse_deleted({owner} - lock_owners([owner], actor_id=actor_id))
        row = rows.select_for_update(no_key=True, of=("self",)).get(pk=pk)
        if row.user_id == owner:  # type: ignore[attr-defined]
            transaction.savepoint_commit(mark)
            return row
        transaction.savepoint_rollback(mark)
    raise StateForbids("The account is being merged. Try again in a moment.", code="accounts_are_busy")


def moment() -> datetime:
    """The database's clock, now: later than every lock that this transaction already holds."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    return now  # type: ignore[no-any-return]
