"""What must hold of groups and equivalencies, checked on any database."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from linking.owed import DIFFERENCES


@dataclass(frozen=True)
class Difference:
    """An equivalency of `record_id` for `account_id` that is missing, surplus, or unlike its origin."""

    kind: str
    record_id: int
    account_id: int


def differences() -> list[Difference]:
    """How what exists differs from what is owed. Empty once the queue is."""
    with connection.cursor() as cursor:
        cursor.execute(DIFFERENCES)
        return [Difference(*row) for row in sorted(cursor.fetchall())]
