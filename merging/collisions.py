"""Rows that came to be after a merge, and that stand where its undo would put a row back."""

from __future__ import annotations

import re
from typing import Any

from django.apps import apps
from django.db import IntegrityError, connection

KEY = re.compile(r"Key \((.*)\)=\((.*)\) already exists\.", re.DOTALL)


def in_the_way(error: IntegrityError) -> list[dict[str, Any]]:
    """The rows that a unique constraint met, as model and id; none when PostgreSQL doesn't tell them.

    To be asked outside the savepoint in which the error was raised.
    """
    told = getattr(error.__cause__, "diag", None)
    key = KEY.match(getattr(told, "message_detail", None) or "")
    if told is None or key is None:
        return []
    columns, values = key[1].split(", "), key[2].split(", ")
    labels = {model._meta.db_table: model._meta.label for model in apps.get_models()}
    if len(columns) != len(values) or told.table_name not in labels:
        return []
    same = " AND ".join(f"({column})::text = %s" for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_expr(indpred, indrelid) FROM pg_index WHERE indexrelid = to_regclass(quote_ident(%s))",
            [told.constraint_name],
        )
        only = [condition for (condition,) in cursor.fetchall() if condition]
        sql = f'SELECT id FROM "{told.table_name}" WHERE {same}'  # noqa: S608 - names that PostgreSQL gave
        cursor.execute(sql + "".join(f" AND {condition.replace('%', '%%')}" for condition in only), values)
        return [{"model": labels[told.table_name], "id": pk} for (pk,) in cursor.fetchall()]
