"""How a merge or an undo keeps everybody else out, and what they did instead becomes an error of ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import IntegrityError, OperationalError, connection, transaction

from merging.errors import MergeIsBusy, PlanIsStale
from merging.handlers import registered
from merging.journal import StepMissed
from rest_contract.outages import is_busy

LONGEST_WAIT = 10  # seconds behind a lock
LONGEST_STATEMENT = 120  # seconds; it grows with the rows, and a merge too large for a request must be able to queue


def lock_accounts(account_ids: set[int], source_id: int, actor_id: int) -> None:
    """Lock the two accounts, their companions and the actor, all in id order, then see that no companion was added.

    The source FOR UPDATE: nothing may be written for it meanwhile, not even a row with a foreign key to it. The
    others FOR NO KEY UPDATE: no other merge, link or profile change, but their learning goes on. The actor FOR SHARE:
    whoever takes a right, role or assignment away waits for this merge, or is seen by it; the actor's other work goes on.
    """
    wanted = account_ids | _companions(account_ids)
    strengths = {actor_id: "SHARE"} | dict.fromkeys(wanted, "NO KEY UPDATE") | {source_id: "UPDATE"}
    table = get_user_model()._meta.db_table
    with connection.cursor() as cursor:
        for strength, ids in groupby(sorted(strengths), strengths.__getitem__):
            sql = f'SELECT FROM "{table}" WHERE id = ANY(%s) ORDER BY id FOR {strength}'
            cursor.execute(sql, [list(ids)])
    if not _companions(account_ids) <= wanted:
        raise MergeIsBusy


def _companions(account_ids: set[int]) -> set[int]:
    return {account for handler in registered() for account in handler.companions(account_ids)}


def _limits(patience: int) -> str:
    """Never longer behind a lock than the process allows, while the statements of a large merge may take longer."""
    lock = min(patience, settings.LOCK_TIMEOUT_SECONDS or patience)
    statement = max(LONGEST_STATEMENT, settings.STATEMENT_TIMEOUT_SECONDS) if settings.STATEMENT_TIMEOUT_SECONDS else 0
    return (
        f"SET LOCAL lock_timeout = '{lock}s'; SET LOCAL statement_timeout = '{statement}s'; "
        "SET LOCAL idle_in_transaction_session_timeout = '60s'"
    )


@contextmanager
def one_transaction(patience: int = LONGEST_WAIT) -> Iterator[None]:
    """One transaction that waits for locks for a while only. What others did meanwhile becomes a MergeError."""
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(_limits(patience))
            yield
    except OperationalError as error:
        if is_busy(error):
            raise MergeIsBusy from error
        raise
    except (IntegrityError, StepMissed) as error:
        raise PlanIsStale from error
