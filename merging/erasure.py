"""What deleting an account means for the journals of its merges. Undo is closed then, so the values serve nobody."""

from __future__ import annotations

from django.db import connection

# Which rows and columns changed stays to be seen; what was in them doesn't.
BLANK = """
    UPDATE merging_journalentry SET detail = '{}',
        before = (SELECT jsonb_object_agg(key, CASE WHEN key LIKE '%%\\_id' THEN value ELSE 'null' END)
                  FROM jsonb_each(before)),
        after = (SELECT jsonb_object_agg(key, CASE WHEN key LIKE '%%\\_id' THEN value ELSE 'null' END)
                 FROM jsonb_each(after)),
        what = CASE WHEN section = 'profile' THEN what ELSE split_part(what, ' ', 1) END
    WHERE model LIKE 'accounts.%%'
        AND merge_id IN (SELECT id FROM merging_merge WHERE %s IN (source_id, destination_id))
"""


def erase_journals(account_id: int) -> None:
    """Blank the personal values in the journals of all merges of an account, in the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(BLANK, [account_id])
