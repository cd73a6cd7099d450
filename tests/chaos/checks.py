"""The ledger against the database: everything accepted is there exactly once, and everything owed was issued."""

from __future__ import annotations

from collections.abc import Iterator

from tests.chaos.ledger import Ledger
from tests.chaos.portal import Portal

OPEN = """
SELECT (SELECT count(*) FROM learning_records_pendingrecord)
     + (SELECT count(*) FROM linking_pair WHERE finished_at IS NULL)
     + (SELECT count(*) FROM merging_merge WHERE status IN ('queued', 'running'))
     + (SELECT count(*) FROM bulk_import WHERE status IN ('checking', 'running'))
"""
MOMENTS = """
SELECT to_char(completed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), count(*)
FROM learning_records_learningrecord WHERE origin = 'earned' GROUP BY 1
"""
MERGES = """
SELECT m.id, m.status, m.source_id, m.destination_id,
       (SELECT count(*) FROM audit_auditentry a WHERE a.action = 'merge.done' AND a.detail ->> 'merge' = m.id::text),
       (SELECT count(*) FROM audit_auditentry a WHERE a.action = 'merge.undone' AND a.detail ->> 'merge' = m.id::text)
FROM merging_merge m
"""
GROUPS = "SELECT user_id, group_id FROM linking_membership WHERE group_id IS NOT NULL"


def open_work(portal: Portal) -> int:
    """How much is queued still."""
    return int(portal.query(OPEN)[0][0])


def lost(portal: Portal, ledger: Ledger) -> Iterator[str]:
    """What was accepted and isn't there."""
    stored = dict(portal.query(MOMENTS))
    yield from (f"record of {when}" for when in ledger.records if not stored.get(when))
    merges = {row[0]: row for row in portal.query(MERGES)}
    for pk, accounts in ledger.merges.items():
        row = merges.get(pk)
        wanted = "undone" if pk in ledger.undone else "done"
        if row is None or (row[2], row[3]) != accounts:
            yield f"merge {pk}"
        elif row[1] != wanted or row[4] < 1 or row[5] < (wanted == "undone"):
            yield f"merge {pk} is {row[1]} with {row[4]} and {row[5]} audit entries, and should be {wanted}"
    group = dict(portal.query(GROUPS))
    yield from (f"link {a} {b}" for a, b in ledger.links if group.get(a) is None or group[a] != group.get(b))


def doubled(portal: Portal, ledger: Ledger) -> Iterator[str]:
    """What is there twice, or was never sent."""
    for when, number in portal.query(MOMENTS):
        if number > 1:
            yield f"record of {when} is there {number} times"
        elif when not in ledger.offered:
            yield f"record of {when} was never sent"
    seen: dict[tuple[int, int], int] = {}
    for pk, _, source, destination, done, undone in portal.query(MERGES):
        if done > 1 or undone > 1:
            yield f"merge {pk} has {done} and {undone} audit entries"
        if (source, destination) in seen:
            yield f"merge {pk} repeats merge {seen[source, destination]}"
        seen[source, destination] = pk


def broken_laws(portal: Portal) -> list[str]:
    """What verify_laws names: equivalencies are exactly those owed, every merge is audited, and the rest."""
    done = portal.manage("verify_laws")
    return [] if done.returncode == 0 else [*done.stdout.splitlines(), *done.stderr.splitlines()]
