"""Upload, check, confirm, run: an import's life. PostgreSQL alone knows how far it is; a crash goes on where it stopped.

One worker at a time works on a file: it holds the file's row (FOR NO KEY UPDATE, skipped when another has it) for one
batch, and the rows' verdicts and outcomes are written in the transaction of the work itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import islice
from typing import Any, BinaryIO

from django.conf import settings
from django.db import transaction
from django.utils import timezone

import audit.services
from accounts.models import User
from accounts.services import lock_actor
from bulk import reading, running
from bulk.errors import ImportRefused
from bulk.kinds import KINDS
from bulk.kinds.base import lost_right, refuse_all
from bulk.models import Import, ImportRow

BATCH = 1000
Status, Verdict = Import.Status, ImportRow.Verdict


def upload(*, actor: User, kind: str, file: BinaryIO, name: str, size: int) -> Import:
    """Keep the rows of a file; nothing else is written until somebody confirms. Raises ImportRefused."""
    reading.check_size(size)
    _need_rights(actor.pk)
    known = KINDS[kind].columns()
    header, rows = reading.read(file, known)
    missing = [column for column in KINDS[kind].required() if column not in header]
    if missing:
        raise ImportRefused(f"Line 1 lacks the column {missing[0]}. The template shows all columns.", "missing_header")
    _check_number(rows)
    file.seek(0)
    _, rows = reading.read(file, known)
    with transaction.atomic():
        kept = Import.objects.create(
            kind=kind, file_name=name.replace("\x00", "")[:200], header=header, uploaded_by_id=actor.pk
        )
        kept.total = _keep_rows(kept, header, rows)
        kept.save(update_fields=["total"])
    return kept


def _check_number(rows: Iterable[tuple[int, list[str]]]) -> None:
    """Read the whole file once, before anything of it is stored."""
    number = sum(1 for _ in islice(rows, settings.IMPORT_MAX_ROWS + 1))
    if not number:
        raise ImportRefused("The file has no row below its header.", "empty")
    if number > settings.IMPORT_MAX_ROWS:
        raise ImportRefused(f"The file has more than {settings.IMPORT_MAX_ROWS:,} rows. Split it.", "too_many_rows")


def _keep_rows(kept: Import, header: Sequence[str], rows: Iterable[tuple[int, list[str]]]) -> int:
    total = 0
    stream = iter(rows)
    while batch := list(islice(stream, 5000)):
        total += len(batch)
        ImportRow.objects.bulk_create(_row(kept, header, line, cells) for line, cells in batch)
    return total


def _row(kept: Import, header: Sequence[str], line: int, cells: list[str]) -> ImportRow:
    """One row with its cells by column; what is wrong with the cells as such refuses it at once."""
    clean = [reading.plain(cell) for cell in cells[: len(header)]]
    row = ImportRow(import_file=kept, line=line)
    row.cells = {
        name: cell.replace("\x00", "�")[: reading.LONGEST_CELL] for name, cell in zip(header, clean, strict=False)
    }
    if len(cells) != len(header):
        row.refuse("", f"The row has {len(cells)} cells, the header has {len(header)}. Check its commas and quotes.")
    for name, raw, cell in zip(header, cells, clean, strict=False):
        if reading.is_formula(raw.strip(" ")):
            row.refuse(name, "The cell begins like a formula. Remove the sign in front, or put a ' before it.")
        elif "\x00" in cell:
            row.refuse(name, "The cell holds a character that no text has.")
        elif len(cell) > reading.LONGEST_CELL:
            row.refuse(name, f"The cell is longer than {reading.LONGEST_CELL} characters.")
    return row


def work(import_id: int) -> bool:
    """Do the next batch of a file that is being checked or run; answers whether there is more to do."""
    with transaction.atomic():
        file = _claim(import_id)
        if file is None:
            return False
        # Not locked yet: the kinds lock the actor among the accounts of a batch, in id order, and decide again.
        actor = User.objects.get(pk=file.uploaded_by_id)
        if file.status == Status.CHECKING:
            return _check_some(file, actor)
        return _run_some(file, actor)


def _claim(import_id: int) -> Import | None:
    """The file, locked so that no other worker takes the same batch; None when another has it or nothing is to do."""
    files = Import.objects.select_for_update(no_key=True, skip_locked=True)
    return files.filter(pk=import_id, status__in=[Status.CHECKING, Status.RUNNING]).first()


def _check_some(file: Import, actor: User) -> bool:
    rows = list(file.rows.filter(verdict="")[:BATCH])
    if rows:
        if not refuse_all(rows, lost_right(actor)):
            KINDS[file.kind].judge(rows, actor)
        running.save(rows)
        return True
    KINDS[file.kind].settle(file)
    file.status = Status.CHECKED
    file.save(update_fields=["status"])
    return False


def _run_some(file: Import, actor: User) -> bool:
    ids = list(running.due(file).values_list("pk", flat=True)[: BATCH if file.kind != "merges" else 1])
    if ids:
        running.run(file, ids, lambda rows: _carry_out(file, rows, actor))
        return True
    if running.to_run(file).exists():
        return False  # put off; the sweep comes back
    waiting = file.rows.filter(outcome="")
    waiting.filter(verdict=Verdict.UNCHANGED).update(outcome=Verdict.UNCHANGED)
    waiting.filter(verdict=Verdict.REFUSED).update(outcome=Verdict.REFUSED)
    file.status, file.finished_at = Status.DONE, timezone.now()
    file.save(update_fields=["status", "finished_at"])
    _audit("import.done", file, actor)
    return False


def _carry_out(file: Import, rows: Sequence[ImportRow], actor: User) -> None:
    if refuse_all(rows, lost_right(actor)):
        for row in rows:
            row.outcome = row.verdict
    else:
        KINDS[file.kind].run(rows, actor, f"import {file.pk}")


def confirm(*, actor: User, import_id: int) -> Import:
    """Let a checked file run, with the rights of the person who uploaded it. Needs those rights oneself.

    Raises ImportRefused, with `not_found` for somebody else's file unless the actor is a superadmin.
    """
    with transaction.atomic():
        file = _own(actor, import_id)  # one confirmation
        _need_rights(actor.pk)
        if file.status != Status.CHECKED:
            raise ImportRefused(f"This file can't be confirmed: {file.get_status_display().lower()}.", "not_checked")
        file.status, file.confirmed_at = Status.RUNNING, timezone.now()
        file.save(update_fields=["status", "confirmed_at"])
        _audit("import.confirmed", file, actor)
    return file


def cancel(*, actor: User, import_id: int) -> Import:
    """Stop a file. Rows that ran stay as they are; the others never run. Raises ImportRefused, as confirm does."""
    with transaction.atomic():
        file = _own(actor, import_id)  # waits for the batch at work
        if file.status in (Status.DONE, Status.CANCELLED):
            raise ImportRefused("This file has ended already.", "ended")
        file.status, file.finished_at = Status.CANCELLED, timezone.now()
        file.save(update_fields=["status", "finished_at"])
        _audit("import.cancelled", file, actor)
    return file


def _own(actor: User, import_id: int) -> Import:
    """The file, locked against another confirmation, cancellation or batch; a superadmin's own are all."""
    file: Import = Import.objects.select_for_update(no_key=True).get(pk=import_id)
    if file.uploaded_by_id != actor.pk and not User.objects.get(pk=actor.pk).is_superadmin:
        raise ImportRefused("There is no such file.", "not_found")
    return file


def _need_rights(actor_id: int) -> None:
    """Under lock: who takes the right away waits for this, or is seen by it."""
    with transaction.atomic():
        if reason := lost_right(lock_actor(actor_id)):
            raise ImportRefused(reason, "not_allowed")


def forget_old_rows() -> int:
    """Delete the rows of files that are older than IMPORT_KEEP_DAYS: they name people. Answers how many."""
    old = timezone.now() - timedelta(days=settings.IMPORT_KEEP_DAYS)
    with transaction.atomic():
        Import.objects.filter(uploaded_at__lt=old, status=Status.CHECKED).update(
            status=Status.CANCELLED, finished_at=timezone.now()
        )
        ended = Import.objects.filter(uploaded_at__lt=old, status__in=[Status.DONE, Status.CANCELLED])
        deleted, _ = ImportRow.objects.filter(import_file__in=ended).delete()
    return deleted


def counts(file: Import) -> dict[str, int]:
    """How many rows have which verdict, and how many are done."""
    from django.db.models import Count, Q

    sums: dict[str, int] = file.rows.aggregate(
        **{name: Count("pk", filter=Q(verdict=name)) for name in Verdict.values},
        checked=Count("pk", filter=~Q(verdict="")),
        done=Count("pk", filter=~Q(outcome="")),
        to_run=Count("pk", filter=Q(verdict__in=[Verdict.ADDED, Verdict.CHANGED])),
        ran=Count("pk", filter=~Q(outcome="") & Q(verdict__in=[Verdict.ADDED, Verdict.CHANGED])),
    )
    return sums


def _audit(action: str, file: Import, actor: User) -> None:
    detail: dict[str, Any] = {"import": file.pk, "kind": str(file.kind)}
    audit.services.record(action, actor_id=actor.pk, subject_id=None, detail=detail, origin=f"import {file.pk}")
