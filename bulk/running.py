"""Rows of a file are carried out in batches, and what somebody else holds is put off: never refused for a lock alone.

A batch that meets a lock is taken back, halved and tried again, until the rows that are held are found. They wait,
longer each time, while the others go on; after MOST_TRIES they are refused, and the page says why.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import timedelta

from django.db import OperationalError, connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from bulk.models import Import, ImportRow
from merging.errors import MergeIsBusy
from rest_contract.outages import is_busy

PATIENCE = "1s"  # for a lock; the row comes back anyway
MOST_TRIES = 10
FIRST_WAIT, LONGEST_WAIT = 5, 300  # seconds
Run = Callable[[Sequence[ImportRow]], None]
Verdict = ImportRow.Verdict
SAVE = """
    UPDATE bulk_importrow t SET verdict = v.verdict, target = v.target, differences = v.differences,
        "column" = v."column", reason = v.reason, outcome = v.outcome
    FROM jsonb_to_recordset(%s::jsonb) v(id bigint, verdict text, target bigint, differences jsonb, "column" text,
        reason text, outcome text)
    WHERE t.id = v.id AND t.cells <> '{}'  -- erased meanwhile
"""


def due(file: Import) -> QuerySet[ImportRow]:
    """The rows to carry out now."""
    return to_run(file).filter(Q(retry_at=None) | Q(retry_at__lte=timezone.now()))


def to_run(file: Import) -> QuerySet[ImportRow]:
    """The rows to carry out, those included that are put off."""
    return file.rows.filter(outcome="", verdict__in=[Verdict.ADDED, Verdict.CHANGED])


def run(file: Import, ids: Sequence[int], carry_out: Run) -> None:
    """Carry these rows out, and put those off that somebody holds. In the transaction of the caller."""
    try:
        with transaction.atomic():
            _be_impatient()
            rows = list(file.rows.filter(pk__in=ids))
            carry_out(rows)
            save(rows)
    except (OperationalError, MergeIsBusy) as error:
        if not (isinstance(error, MergeIsBusy) or is_busy(error)):
            raise
        if len(ids) == 1:
            _put_off(file.rows.get(pk=ids[0]))
            return
        half = len(ids) // 2
        run(file, ids[:half], carry_out)
        run(file, ids[half:], carry_out)


def save(rows: Sequence[ImportRow]) -> None:
    """Write what was found out about a batch, in one statement."""
    names = ("verdict", "target", "differences", "column", "reason", "outcome")
    found = [{"id": row.pk, **{name: getattr(row, name) for name in names}} for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(SAVE, [json.dumps(found)])


def _be_impatient() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{PATIENCE}'")


def _put_off(row: ImportRow) -> None:
    row.tries += 1
    if row.tries >= MOST_TRIES:
        row.refuse("", "Somebody else was working on this account each time. Upload the row again later.")
        row.outcome = Verdict.REFUSED
    row.retry_at = timezone.now() + timedelta(seconds=min(LONGEST_WAIT, FIRST_WAIT * 2 ** (row.tries - 1)))
    row.save(update_fields=["tries", "retry_at", "verdict", "column", "reason", "outcome"])
