"""Which merge brought a row to the account that holds it now: read from the journal, for the rows of one page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db import connection
from django.db.models import Model

from accounts.models import User

BROUGHT = """
    SELECT w.model, w.id, max(k.merge_id)
    FROM unnest(%s::text[], %s::bigint[]) AS w(model, id)
    JOIN (SELECT j.model, j.merge_id, unnest(j.ids) AS id
          FROM merging_journalentry j JOIN merging_merge m ON m.id = j.merge_id
          WHERE m.destination_id = %s AND m.status = 'done' AND j.kind IN ('move', 'change')
            AND (j.after ->> 'user_id')::bigint = m.destination_id
            AND (j.before ->> 'user_id')::bigint = m.source_id) AS k ON k.model = w.model AND k.id = w.id
    GROUP BY w.model, w.id
"""


def brought(account: User, rows: Iterable[Model]) -> Mapping[tuple[str, int], int]:
    """(model label, row id) to the id of the latest merge that brought the row here. One statement."""
    named = [(row._meta.label, row.pk) for row in rows]
    if not named:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(BROUGHT, [[label for label, _ in named], [pk for _, pk in named], account.pk])
        return {(label, pk): merge for label, pk, merge in cursor.fetchall()}
