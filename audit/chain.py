"""Checks the audit's chains of hashes, in SQL: what was altered, removed, put in by hand or cut off."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db import connection

from audit.models import AuditHead, AuditLink

# Rows of (what the row is, its id, what is wrong with it), as the laws of the portal have them.
FAULTS = """
    SELECT 'audit entry', id, fault FROM (
        SELECT l.entry_id AS id, CASE
            WHEN lag(l.place, 1, 0) OVER chain <> l.place - 1 THEN
                'follows a gap: places ' || lag(l.place, 1, 0) OVER chain + 1 || ' to ' || l.place - 1 || ' of chain '
                || l.chain || ' are missing'
            WHEN e.id IS NULL THEN 'is missing'
            WHEN l.hash <> sha256(audit_text(l.chain, l.place, l.previous, e)) THEN 'was altered'
            WHEN l.previous <> lag(l.hash, 1, '') OVER chain THEN 'doesn''t follow from the one before it in its chain'
        END AS fault
        FROM audit_auditlink l LEFT JOIN audit_auditentry e ON e.id = l.entry_id
        WINDOW chain AS (PARTITION BY l.chain ORDER BY l.place)
    ) AS links WHERE fault IS NOT NULL
    UNION ALL
    SELECT 'audit entry', e.id, 'was inserted by hand: it is in no chain' FROM audit_auditentry e
    WHERE NOT EXISTS (SELECT FROM audit_auditlink l WHERE l.entry_id = e.id)
    UNION ALL
    SELECT 'audit entry', coalesce(last.entry_id, 0), 'is the last of chain ' || coalesce(h.chain, last.chain)
        || CASE WHEN h.chain IS NULL THEN ', whose head is missing'
                WHEN last.place IS DISTINCT FROM h.length AND coalesce(last.place, 0) < h.length THEN
                    ', which was cut: ' || h.length - coalesce(last.place, 0) || ' entries after it are missing'
                ELSE ', whose head is another' END
    FROM audit_audithead h
    FULL JOIN (SELECT DISTINCT ON (chain) * FROM audit_auditlink ORDER BY chain, place DESC) AS last USING (chain)
    WHERE (coalesce(last.place, 0), coalesce(last.hash, '')) IS DISTINCT FROM (h.length, h.hash)
"""


@dataclass(frozen=True)
class Fault:
    """One entry that breaks its chain, and how."""

    entry_id: int
    what: str

    def __str__(self) -> str:
        return f"Audit entry {self.entry_id} {self.what}."


def faults(limit: int = 20) -> list[Fault]:
    """What is wrong, by the ids of the entries, the first `limit`."""
    settle()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM ({FAULTS}) AS f(what, pk, fault) ORDER BY pk, fault LIMIT %s", [limit])  # noqa: S608 - a constant
        return [Fault(pk, fault) for _, pk, fault in cursor.fetchall()]


def settle() -> None:
    """Link the entries that this transaction wrote now, not at its commit, so that they can be checked."""
    if connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS audit_chain IMMEDIATE; SET CONSTRAINTS audit_chain DEFERRED")


def heads() -> Iterator[str]:
    """The end of each chain as one line, to be noted where nobody of this database can write."""
    yield from (str(head) for head in AuditHead.objects.order_by("chain"))


def differing(noted: Iterable[str]) -> Iterator[str]:
    """The noted ends, lines of `heads`, that are no longer a part of their chains. Raises ValueError for other lines."""
    for line in filter(None, (line.strip() for line in noted)):
        chain, place, digest = line.split(":")
        if int(place) == 0:
            continue
        found = AuditLink.objects.filter(chain=int(chain), place=int(place)).first()
        if found is None or bytes(found.hash).hex() != digest:
            yield line
