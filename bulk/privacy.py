"""Rows of files name people, also those that no account was found for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import connection
from django.db.models import Model

from bulk.models import Import
from bulk.services import forget_old_rows
from privacy.erasers import Redact
from privacy.person import Person
from privacy.registry import before_locks, moments, not_personal, personal, purge

# Rows about the person, by id or by a cell that identifies them. One that hasn't run yet is refused.
CLEAR = """
    UPDATE bulk_importrow SET cells = '{}', differences = '{}', reason = %s,
        verdict = CASE WHEN outcome = '' THEN 'refused' ELSE verdict END
    WHERE target = ANY(%s) OR differences -> 'destination' = ANY(%s::jsonb[])
        OR EXISTS (SELECT FROM jsonb_each_text(cells) c WHERE lower(btrim(c.value)) = ANY(%s))
        OR reason ~* %s
"""
DELETED = "The account was deleted."
NOBODY = "(?!)"  # a pattern that nothing fits


def _clear_rows(person: Person, model: type[Model], columns: Sequence[str]) -> None:
    ids = list(person.ids)
    pattern = person.identifier_pattern or NOBODY
    with connection.cursor() as cursor:
        cursor.execute(CLEAR, [DELETED, ids, [str(pk) for pk in ids], person.lowered, pattern])


def _lock_files(person: Person) -> None:
    """Files whose name will change, before the accounts: whoever runs a file holds it and then asks for accounts."""
    if pattern := person.identifier_pattern:
        named = Import.objects.filter(file_name__iregex=pattern).order_by("pk")
        list(named.select_for_update(no_key=True).values_list("pk"))  # the name is no key; rows may be added meanwhile


def _purge_rows(now: datetime) -> int:
    return forget_old_rows()


before_locks(_lock_files)
moments("bulk")
personal("bulk.Import", "file_name", erase=Redact())
not_personal("bulk.Import", "kind status header", "fixed words, and names of columns")
personal("bulk.ImportRow", "cells differences reason", erase=_clear_rows, kept="IMPORT_KEEP_DAYS")
not_personal("bulk.ImportRow", "verdict column outcome", "fixed words, and names of columns")
purge("rows of imports", after="IMPORT_KEEP_DAYS", run=_purge_rows)
