"""Every row of every table as text, in one statement; to see that nothing has changed, or what."""

from __future__ import annotations

from collections.abc import Collection

from django.apps import apps
from django.db import connection

HISTORY = frozenset(
    {"merging", "audit", "sessions", "contenttypes", "auth", "admin", "pgtrigger", "django_celery_beat"}
)

NEVER_BACK = "session_epoch"  # data comes back with an undo, access doesn't


def dump(but: Collection[str] = HISTORY) -> dict[str, list[str]]:
    """Table to rows. Apps in `but` are left out: by default what merges add of their own."""
    models = [m for m in apps.get_models(include_auto_created=True) if m._meta.app_label not in but]
    tables = sorted({m._meta.db_table for m in models if m._meta.managed and not m._meta.proxy})
    parts = [
        f"SELECT '{table}', coalesce(array_agg(j::text ORDER BY j::text), '{{}}')"
        f' FROM (SELECT to_jsonb(t) - %s AS j FROM "{table}" t) q'
        for table in tables
    ]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), [NEVER_BACK] * len(parts))
        return dict(cursor.fetchall())


def differences(before: dict[str, list[str]], after: dict[str, list[str]]) -> dict[str, list[str]]:
    """What is only in one of the two, per table: "- gone" and "+ new"."""
    found = {}
    for table, rows in before.items():
        lines = [f"- {row}" for row in rows if row not in after[table]]
        lines += [f"+ {row}" for row in after[table] if row not in rows]
        if lines:
            found[table] = lines
    return found
