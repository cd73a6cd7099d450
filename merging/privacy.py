"""What merges hold of people: reasons in words, and the values in journals, which serve until the undo window ends."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models import Model, Q
from django.utils import timezone

from merging.models import JournalEntry, Merge
from privacy.erasers import Blank, Redact, in_turn, redacted
from privacy.person import Person
from privacy.registry import before_locks, kept_out, moments, not_personal, personal, purge

# Which rows and columns changed stays to be seen; what was in personal columns doesn't. Of a model that isn't
# installed any more, ids alone stay. A column that is named as personal is none, however it is called.
SAFE = "NOT coalesce(known -> model ? key, FALSE) AND (key LIKE '%%\\_id' OR known ? model)"
BLANKED = """
    coalesce((SELECT jsonb_object_agg(key, CASE WHEN {safe} THEN value ELSE 'null' END) FROM jsonb_each({column})),
             {column})
"""
FORGET = f"""
    UPDATE merging_journalentry SET
        before = {BLANKED.format(safe=SAFE, column="before")}, after = {BLANKED.format(safe=SAFE, column="after")},
        detail = CASE WHEN known -> model = '[]' THEN detail ELSE '{{}}' END,
        what = CASE WHEN what = '' OR section = 'profile' OR known -> model = '[]' THEN what
                    WHEN model = 'accounts.Alias' THEN 'Old identifier' ELSE split_part(what, ' ', 1) END
    FROM (SELECT %s::jsonb AS known) k
    WHERE merge_id = ANY(%s)
"""  # noqa: S608 - made of our own words
BATCH = 500  # merges in one statement


def forget_values(merge_ids: Sequence[int]) -> None:
    """Blank the personal values in the journals of these merges, in the caller's transaction. They can't be undone."""
    known = {model._meta.label: sorted(kept_out(model)) for model in apps.get_models(include_auto_created=True)}
    with connection.cursor() as cursor:
        cursor.execute(FORGET, [json.dumps(known), list(merge_ids)])
    Merge.objects.filter(pk__in=list(merge_ids)).update(values_forgotten_at=timezone.now())


def _merges_of(account_ids: Sequence[int]) -> Any:
    return Merge.objects.filter(Q(source__in=account_ids) | Q(destination__in=account_ids))


def _lock_merges(person: Person) -> None:
    """Before the accounts, as an undo takes them; no key of theirs changes."""
    list(_merges_of(list(person.ids)).order_by("pk").select_for_update(no_key=True).values_list("pk"))


def _erase_journals(person: Person, model: type[Model], columns: Sequence[str]) -> None:
    """Of all merges of the account. Undo is closed then. Survivors' merges may name what the account was known by."""
    forget_values(_merges_of(list(person.ids)).values_list("pk", flat=True))
    if pattern := person.identifier_pattern:
        theirs = JournalEntry.objects.filter(merge__in=_merges_of(list(person.survivors)), what__iregex=pattern)
        theirs.update(what=redacted(JournalEntry, "what", pattern))


def _purge_journals(now: datetime) -> int:
    """Merges whose undo window has ended, done and undone alike."""
    total = 0
    over = Merge.objects.filter(undo_until__lt=now, values_forgotten_at=None).order_by("pk")
    while ids := list(over.values_list("pk", flat=True)[:BATCH]):
        forget_values(ids)
        total += len(ids)
    return total


before_locks(_lock_merges)
moments("merging")
personal("merging.Merge", "reason undo_reason error", erase=in_turn(Blank("source destination"), Redact()))
not_personal("merging.Merge", "choices", "names of fields, ids of courses, and the side that was chosen")
not_personal("merging.Merge", "policy status digest counts error_code", "fixed words, numbers and hashes")
personal("merging.JournalEntry", "before after what detail", erase=_erase_journals, kept="UNDO_WINDOW_DAYS")
not_personal("merging.JournalEntry", "section model kind outcome reason ids", "fixed words and ids")
purge("values in journals", after="UNDO_WINDOW_DAYS", run=_purge_journals)
