"""Everything in the database, as one digest per table: equal digests, equal rows."""

from collections.abc import Collection

from django.apps import apps
from django.db import connection

ABOUT_MERGES = {
    "merging_merge",
    "merging_journalentry",
    "audit_auditentry",
    "audit_auditlink",
    "audit_audithead",
    "audit_outboxevent",
    "django_session",
}


def fingerprint(without: Collection[str] = ()) -> dict[str, str]:
    """A digest per table, of all its rows in any order. Without the epoch of accounts, which never goes back."""
    tables = {model._meta.db_table for model in apps.get_models(include_auto_created=True)} - set(without)
    found = {}
    with connection.cursor() as cursor:
        for table in sorted(tables):
            row = "(to_jsonb(t) - 'session_epoch')::text"
            cursor.execute(f'SELECT md5(string_agg({row}, chr(10) ORDER BY {row})) FROM "{table}" t')
            found[table] = cursor.fetchone()[0]
    return found


def analyze() -> None:
    """Let the database know its tables: what a test wrote a moment ago has no statistics, and plans go astray."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
