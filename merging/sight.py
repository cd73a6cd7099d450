"""What the two accounts have: their rows in every claimed or watched table, as a fingerprint and a number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from merging.handlers import Case, Claim, registered


@dataclass(frozen=True)
class Sight:
    """What was seen of one table: a fingerprint of both accounts' rows, and how many the source has."""

    section: str
    claim: Claim | None
    rows: int
    fingerprint: int | None


def look(case: Case) -> list[Sight]:
    """Look at all rows that the two accounts have in every claimed or watched table, in one statement."""
    source, destination = case.source.pk, case.destination.pk
    seen: list[tuple[str, Claim | None]] = []
    parts: list[str] = []
    params: list[Any] = []
    for handler in registered():
        for claim in handler.claims:
            seen.append((handler.section, claim))
            parts.append(
                f'SELECT {len(parts)}, count(*) FILTER (WHERE t."{claim.attname}" = {source:d}),'
                " bit_xor(hash_record_extended(t, 0))"
                f' FROM "{claim.model._meta.db_table}" t WHERE t."{claim.attname}" IN ({source:d}, {destination:d})'
            )
        for watched in handler.watches(case):
            seen.append((handler.section, None))
            parts.append(
                f"SELECT {len(parts)}, 0, bit_xor(hash_record_extended(t, 0))"
                f' FROM "{watched.model._meta.db_table}" t WHERE {watched.condition}'
            )
            params += watched.params
    found = {number: (rows, fingerprint) for number, rows, fingerprint in fetch(" UNION ALL ".join(parts), params)}
    return [Sight(section, claim, *found[number]) for number, (section, claim) in enumerate(seen)]


def count_left(case: Case, claims: Iterable[Claim]) -> dict[Claim, int]:
    """How many rows still point at the source, per claim, in one statement."""
    listed = list(claims)
    parts = [
        f'SELECT {number}, count(*) FROM "{claim.model._meta.db_table}" WHERE "{claim.attname}" = {case.source.pk:d}'
        for number, claim in enumerate(listed)
    ]
    if not parts:
        return {}
    return {listed[number]: rows for number, rows in fetch(" UNION ALL ".join(parts))}


def fetch(sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Every row that the statement gives."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())
