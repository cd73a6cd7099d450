"""How a merge or an undo keeps everybody else out, and what they did instead becomes an error of ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby

from django.contrib.auth import get_user_model
from django.db import IntegrityError, OperationalError, connection, transaction

from merging.errors import MergeIsBusy, PlanIsStale
from merging.handlers import registered
from merging.journal import StepMissed
from rest_contract.outages import is_busy


def lock_accounts(account_ids: set[int], source_id: int) -> None:
    """Lock the two accounts and their companions, all in id order, then see that the companions are still those.

    The source FOR UPDATE: nothing may be written for it meanwhile, not even a row with a foreign key to it. The
    others FOR NO KEY UPDATE: no other merge, link or profile change, but their learning goes on.
    """
    wanted = account_ids | _companions(account_ids)
    table = get_user_model()._meta.db_table
    with connection.cursor() as cursor:
        for is_source, ids in groupby(sorted(wanted), lambda account_id: account_id == source_id):
            strength = "UPDATE" if is_source else "NO KEY UPDATE"
            sql = f'SELECT FROM "{table}" WHERE id = ANY(%s) ORDER BY id FOR {strength}'
            cursor.execute(sql, [list(ids)])
    if not _companions(account_ids) <= wanted:
        raise MergeIsBusy


def _companions(account_ids: set[int]) -> set[int]:
    return {account for handler in registered() for account in handler.companions(account_ids)}


@contextmanager
def one_transaction() -> Iterator[None]:
    """One transaction that waits for locks for a while only. What others did meanwhile becomes a MergeError."""
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '10s'; SET LOCAL idle_in_transaction_session_timeout = '60s'")
            yield
    except OperationalError as error:
        if is_busy(error):
            raise MergeIsBusy from error
        raise
    except (IntegrityError, StepMissed) as error:
        raise PlanIsStale from error
