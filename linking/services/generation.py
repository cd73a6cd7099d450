"""Issuing what is owed. All work is found in the database, so a killed worker delays it and never loses or doubles it.

Two sources of work: the outbox of records (PendingRecord) and pairs whose records weren't scanned to the end. Both are
claimed with SKIP LOCKED and marked done in the transaction that did them, so several workers share them.

Whoever can change an answer is kept out while it is given: accounts FOR SHARE (no merge, no link meanwhile), records
FOR SHARE (no void, restore or new expiry). Accounts that are being merged or linked are left for the next round: a worker that
waited for them, holding its claim, could deadlock with the merge's undo.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

from django.db import OperationalError, connection, transaction

from linking.owed import FOLLOW, ISSUE

RECORDS: Final = 1_000  # of the outbox, per transaction
SCAN: Final = 5_000  # of one pair, per statement and per transaction
ATTEMPTS: Final = 5
DEADLOCK: Final = "40P01"

_RECORDS_OF_PAIR = """((r.user_id = %s AND r.merged_from_id IS NULL) OR r.merged_from_id = %s)
    AND r.origin = 'earned' AND r.kind = 'course' AND r.id > %s"""

_HOLD_SCAN = f"""
    SELECT count(*), max(id) FROM (
        SELECT r.id FROM learning_records_learningrecord r WHERE {_RECORDS_OF_PAIR}
        AND (%s OR r.received_at >= %s) ORDER BY r.id LIMIT %s FOR SHARE) held
"""  # noqa: S608 - of constants

_CLAIM_PAIR = """
    SELECT p.id, p.account_id, p.counterpart_id, p.scanned_to, p.linked_at,
           coalesce((SELECT l.generates_equivalencies FROM linking_link l WHERE l.id = p.link_id), FALSE)
    FROM linking_pair p WHERE p.finished_at IS NULL AND NOT p.id = ANY(%s)
    ORDER BY p.id LIMIT 1 FOR UPDATE OF p SKIP LOCKED
"""

_CLAIM_RECORDS = """
    SELECT id, record_id FROM learning_records_pendingrecord WHERE NOT id = ANY(%s)
    ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
"""

_ACCOUNTS_OF_RECORDS = """
    SELECT r.id, r.user_id, p.account_id, p.counterpart_id FROM learning_records_learningrecord r
    JOIN linking_pair p ON p.account_id = coalesce(r.merged_from_id, r.user_id) WHERE r.id = ANY(%s)
    UNION ALL
    SELECT r.id, r.user_id, e.user_id, e.user_id FROM learning_records_learningrecord r
    JOIN learning_records_learningrecord e ON e.equivalent_of_id = r.id WHERE r.id = ANY(%s)
"""

_SURVIVORS = """
    WITH RECURSIVE chain AS (
        SELECT id, merged_into_id FROM accounts_user WHERE id = ANY(%s)
        UNION SELECT u.id, u.merged_into_id FROM accounts_user u JOIN chain ON u.id = chain.merged_into_id)
    SELECT id, merged_into_id FROM chain
"""


@dataclass(frozen=True)
class Pair:
    """A claimed pair."""

    id: int
    account: int
    counterpart: int
    scanned_to: int
    linked_at: Any
    generates: bool


def issue_owed(*, seconds: float = 30.0) -> int:
    """Do what can be done within that time, oldest first; how many equivalencies were issued.

    What another worker holds, and what concerns accounts that are being merged, is left alone.
    """
    ends, issued = monotonic() + seconds, 0
    for step in (_do_records, _do_pairs):
        busy: list[int] = []
        while monotonic() < ends:
            claimed, done = _in_transaction(step, busy)
            if not claimed:
                break
            issued += done
    return issued


def _in_transaction(step: Callable[[list[int]], tuple[int, int]], busy: list[int]) -> tuple[int, int]:
    """Two workers that issue the same equivalencies in another order may deadlock; the one that lost starts over."""
    for _ in range(ATTEMPTS):
        try:
            with transaction.atomic():
                return step(busy)
        except OperationalError as error:
            if getattr(error.__cause__, "pgcode", "") != DEADLOCK:
                raise
    return 0, 0


def _do_records(busy: list[int]) -> tuple[int, int]:
    """One batch of the outbox: how many were claimed, how many equivalencies issued."""
    claims = _fetch(_CLAIM_RECORDS, [busy, RECORDS])
    if not claims:
        return 0, 0
    records = {record_id for _, record_id in claims}
    accounts: dict[int, set[int]] = {}
    for record_id, *ids in _fetch(_ACCOUNTS_OF_RECORDS, [list(records), list(records)]):
        accounts.setdefault(record_id, set()).update(ids)
    held = _hold_accounts(set().union(*accounts.values()))
    late = {record_id for record_id, ids in accounts.items() if not _closure(ids, held)}
    linked = sorted(accounts.keys() - late)
    issued = _settle_records(linked) if linked else 0
    busy += [claim for claim, record_id in claims if record_id in late]
    done = [claim for claim, record_id in claims if record_id not in late]
    _run("DELETE FROM learning_records_pendingrecord WHERE id = ANY(%s)", [done])
    return len(claims), issued


def _settle_records(ids: list[int]) -> int:
    """Issue what these records owe, and let what was issued before follow them."""
    _fetch("SELECT id FROM learning_records_learningrecord WHERE id = ANY(%s) ORDER BY id FOR SHARE", [ids])
    issued = _run(ISSUE.format(which="r.id = ANY(%s)"), [ids])
    _run(FOLLOW, [ids])
    return issued


def _do_pairs(busy: list[int]) -> tuple[int, int]:
    """Pairs, one after the other, until a batch is full: how many were claimed, how many equivalencies issued."""
    claimed = issued = scanned = 0
    while scanned < SCAN:
        rows = _fetch(_CLAIM_PAIR, [busy])
        if not rows:
            break
        pair = Pair(*rows[0])
        claimed += 1
        accounts = {pair.account, pair.counterpart}
        if not _closure(accounts, _hold_accounts(accounts)):
            busy.append(pair.id)
            continue
        count, done = _scan(pair)
        scanned, issued = scanned + count, issued + done
    return claimed, issued


def _scan(pair: Pair) -> tuple[int, int]:
    """The next records of a pair: how many there were, how many equivalencies were issued."""
    which = [pair.account, pair.account, pair.scanned_to]
    (count, last), *_ = _fetch(_HOLD_SCAN, [*which, pair.generates, pair.linked_at, SCAN])
    issued = 0
    if count:
        condition = f"p.id = %s AND {_RECORDS_OF_PAIR} AND r.id <= %s"
        issued = _run(ISSUE.format(which=condition), [pair.id, *which, last])
    _run(
        """UPDATE linking_pair SET scanned_to = coalesce(%s, scanned_to), issued = issued + %s,
           finished_at = CASE WHEN %s THEN clock_timestamp() END WHERE id = %s""",
        [last, issued, count < SCAN, pair.id],
    )
    return count, issued


@dataclass(frozen=True)
class Held:
    """Accounts that this transaction holds, and where the merged ones lead."""

    locked: set[int]
    leads_to: dict[int, int | None]


def _hold_accounts(ids: set[int]) -> Held:
    """Lock the accounts and their survivors in id order, but those that somebody merges or links now.

    FOR SHARE: a merge or undo, which holds both sides' groups FOR NO KEY UPDATE, sees all or nothing of this batch.
    """
    if not ids:
        return Held(set(), {})
    family = {account for account, _ in _fetch(_SURVIVORS, [list(ids)])}
    rows = _fetch("SELECT id FROM accounts_user WHERE id = ANY(%s) ORDER BY id FOR SHARE SKIP LOCKED", [list(family)])
    return Held({account for (account,) in rows}, dict(_fetch(_SURVIVORS, [list(ids)])))


def _closure(ids: set[int], held: Held) -> bool:
    """Whether all of these, and whom they lead to, are held."""
    todo = set(ids)
    while todo:
        account = todo.pop()
        if account not in held.locked:
            return False
        after = held.leads_to.get(account)
        todo |= {after} if after is not None else set()
    return True


def _fetch(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def _run(sql: str, params: Sequence[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return int(cursor.rowcount)
