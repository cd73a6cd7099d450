"""Issuing what is owed. All work is found in the database, so a killed worker delays it and never loses or doubles it.

Two sources of work: the outbox of records (PendingRecord) and pairs whose records weren't scanned to the end. Both are
claimed with SKIP LOCKED and marked done in the transaction that did them, so several workers share them.

Whoever can change an answer is kept out while it is given: accounts FOR SHARE (no merge, undo or link), then records
FOR SHARE (no void, restore or new expiry). Accounts that are being merged or linked are left for the next round: a
worker that waited for them, holding its claim, could deadlock with the merge's undo. A record is waited for, since
whoever changes one holds its account already and waits for nothing that a worker holds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

from django.db import OperationalError, connection, transaction

from linking.owed import FOLLOW, ISSUE, ISSUE_NEXT

RECORDS: Final = 1_000  # of the outbox, per transaction
SCAN: Final = 5_000  # records of pairs, about as many per transaction
OF_ONE_PAIR: Final = 1_000  # at most, of these
PAIRS: Final = 100  # at most, per transaction
ATTEMPTS: Final = 5
DEADLOCK: Final = "40P01"

# A quarter of what waits, so that there is something left for other workers, but a batch's worth at least. FOR UPDATE
# SKIP LOCKED: a pair is one worker's at a time; nobody else locks pairs.
_CLAIM_PAIRS = """
    SELECT id, account_id, counterpart_id, scanned_to FROM linking_pair
    WHERE finished_at IS NULL AND NOT id = ANY(%s) ORDER BY id
    LIMIT least(%s, (SELECT greatest(%s, (count(*) + 3) / 4) FROM (
        SELECT FROM linking_pair WHERE finished_at IS NULL AND NOT id = ANY(%s) LIMIT 4 * %s) waiting))
    FOR UPDATE SKIP LOCKED
"""

# What each pair comes to next, held: how many of its account's records, up to which, and, all at once since there are
# few such accounts, those that a merge took from it. Pairs without old records to count look only at what came after
# them. FOR SHARE: no void, restore or new expiry meanwhile, which FOR KEY SHARE would let pass. Next to free: the
# foreign key of each equivalency locks its record anyhow. A record that is committed after this looked can't have been
# changed before its pair was made, so it counts, or doesn't, as it was received.
_HOLD_NEXT = """
    SELECT p.id, held.count, held.last, ARRAY(
        SELECT r.id FROM learning_records_learningrecord r
        WHERE r.merged_from_id = p.account_id AND r.origin = 'earned' AND r.kind = 'course' ORDER BY r.id FOR SHARE)
    FROM linking_pair p LEFT JOIN linking_link l ON l.id = p.link_id
    CROSS JOIN LATERAL (SELECT count(*), max(id) AS last FROM (
        SELECT r.id FROM learning_records_learningrecord r
        WHERE r.user_id = p.account_id AND r.merged_from_id IS NULL AND r.origin = 'earned' AND r.kind = 'course'
          AND r.id > p.scanned_to AND (l.generates_equivalencies IS TRUE OR r.received_at >= p.linked_at)
        ORDER BY r.id LIMIT %s FOR SHARE) next) held
    WHERE p.id = ANY(%s)
"""

_ADVANCE = """
    UPDATE linking_pair p SET scanned_to = s.last, finished_at = CASE WHEN s.is_done THEN clock_timestamp() END
    FROM unnest(%s::bigint[], %s::bigint[], %s::boolean[]) s(pair, last, is_done) WHERE p.id = s.pair
"""

# FOR UPDATE SKIP LOCKED: an outbox row is one worker's, who deletes it
_CLAIM_RECORDS = """
    SELECT id, record_id FROM learning_records_pendingrecord WHERE NOT id = ANY(%s)
    ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
"""

# FOR SHARE, as in _HOLD_NEXT
_HOLD_RECORDS = "SELECT id FROM learning_records_learningrecord WHERE id = ANY(%s) ORDER BY id FOR SHARE"

_ACCOUNTS_OF_RECORDS = """
    SELECT r.id, r.user_id, p.account_id, p.counterpart_id FROM learning_records_learningrecord r
    JOIN linking_pair p ON p.account_id = coalesce(r.merged_from_id, r.user_id) WHERE r.id = ANY(%s)
    UNION ALL
    SELECT e.equivalent_of_id, e.user_id, e.user_id, e.user_id FROM learning_records_learningrecord e
    WHERE e.equivalent_of_id = ANY(%s) AND NOT e.is_superseded
    UNION ALL
    SELECT e.equivalent_of_id, e.user_id, e.user_id, e.user_id FROM learning_records_learningrecord e
    WHERE e.equivalent_of_id = ANY(%s) AND e.is_superseded
"""

# Accounts with all that they lead to, in id order, but those that somebody merges or links now. FOR SHARE: a merge,
# undo or link, which holds both sides' groups FOR NO KEY UPDATE at least, sees all or nothing of this batch; other
# workers hold the same. SKIP LOCKED: nobody is waited for while claims are held.
_HOLD_ACCOUNTS = """
    SELECT id, merged_into_id FROM accounts_user WHERE id = ANY(ARRAY(
        WITH RECURSIVE chain AS (
            SELECT id, merged_into_id FROM accounts_user WHERE id = ANY(%s)
            UNION SELECT u.id, u.merged_into_id FROM accounts_user u JOIN chain ON u.id = chain.merged_into_id)
        SELECT id FROM chain))
    ORDER BY id FOR SHARE SKIP LOCKED
"""


def issue_owed(*, seconds: float = 30.0) -> int:
    """Do what can be done within that time, oldest first; how many equivalencies were issued.

    What another worker holds, and what concerns accounts that are being merged, is left alone.
    """
    ends, issued = monotonic() + seconds, 0
    for batch in (_RecordBatch(), _PairBatch()):
        while monotonic() < ends:
            claimed, done = _in_transaction(batch)
            if not claimed:
                break
            issued += done
    return issued


def _in_transaction(batch: Callable[[], tuple[int, int]]) -> tuple[int, int]:
    """Two workers that issue the same equivalencies in another order may deadlock; the one that lost starts over."""
    for _ in range(ATTEMPTS):
        try:
            with transaction.atomic():
                return batch()
        except OperationalError as error:
            if getattr(error.__cause__, "pgcode", "") != DEADLOCK:
                raise
    return 0, 0


class _RecordBatch:
    """One batch of the outbox after the other: how many were claimed, how many equivalencies issued."""

    def __init__(self) -> None:
        self.busy: list[int] = []

    def __call__(self) -> tuple[int, int]:
        claims = _fetch(_CLAIM_RECORDS, [self.busy, RECORDS])
        if not claims:
            return 0, 0
        records = {record_id for _, record_id in claims}
        accounts: dict[int, set[int]] = {}
        for record_id, *ids in _fetch(_ACCOUNTS_OF_RECORDS, [list(records)] * 3):
            accounts.setdefault(record_id, set()).update(ids)
        held = _hold_accounts(set().union(*accounts.values()))
        late = {record_id for record_id, ids in accounts.items() if not _is_held(ids, held)}
        linked = sorted(accounts.keys() - late)
        issued = _settle_records(linked) if linked else 0
        self.busy += [claim for claim, record_id in claims if record_id in late]
        done = [claim for claim, record_id in claims if record_id not in late]
        _run("DELETE FROM learning_records_pendingrecord WHERE id = ANY(%s)", [done])
        return len(claims), issued


def _settle_records(ids: list[int]) -> int:
    """Issue what these records owe, and let what was issued before follow them."""
    _fetch(_HOLD_RECORDS, [ids])
    issued = _run(ISSUE.format(which="r.id = ANY(%s)"), [ids])
    for which in ("NOT e.is_superseded", "e.is_superseded"):
        _run(FOLLOW.format(which=which), [ids])
    return issued


class _PairBatch:
    """One batch of pairs after the other, as many as hold about SCAN records together."""

    def __init__(self) -> None:
        self.busy: list[int] = []
        self.size = 10

    def __call__(self) -> tuple[int, int]:
        claims = _fetch(_CLAIM_PAIRS, [self.busy, self.size, SCAN // OF_ONE_PAIR, self.busy, self.size])
        held = _hold_accounts({account for _, *accounts, _ in claims for account in accounts})
        late = {pair for pair, account, counterpart, _ in claims if not _is_held({account, counterpart}, held)}
        self.busy += late
        pairs = {pair: scanned_to for pair, *_, scanned_to in claims if pair not in late}
        scanned, issued = _scan(pairs) if pairs else (0, 0)
        self.size = max(1, min(PAIRS, 2 * self.size, self.size * SCAN // max(1, scanned)))
        return len(claims), issued


def _scan(pairs: dict[int, int]) -> tuple[int, int]:
    """The next records of these pairs, by where each had got to: how many there were, how many were issued."""
    rows = _fetch(_HOLD_NEXT, [OF_ONE_PAIR, list(pairs)])
    last = {pair: last for pair, count, last, _ in rows if count}
    done = {pair: moved for pair, count, _, moved in rows if count < OF_ONE_PAIR}
    issued = _run(ISSUE_NEXT, [list(last), list(last.values())]) if last else 0
    moved = [record for records in done.values() for record in records]
    if moved:
        issued += _run(ISSUE.format(which="r.id = ANY(%s) AND p.id = ANY(%s)"), [moved, list(done)])
    reached = {**pairs, **last}
    _run(_ADVANCE, [list(reached), list(reached.values()), [pair in done for pair in reached]])
    return len(moved) + sum(count for _, count, *_ in rows), issued


@dataclass(frozen=True)
class Held:
    """Accounts that this transaction holds, and where the merged ones lead."""

    locked: set[int]
    leads_to: dict[int, int | None]


def _hold_accounts(ids: set[int]) -> Held:
    """Lock the accounts and their survivors as far as nobody else is at work on them."""
    rows = _fetch(_HOLD_ACCOUNTS, [list(ids)]) if ids else []
    return Held({account for account, _ in rows}, dict(rows))


def _is_held(ids: set[int], held: Held) -> bool:
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
