"""Answers that are kept for a day may show anybody; the keys that callers chose are kept as hashes alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from django.db import connection
from django.db.models import Model

from privacy.person import Person
from privacy.registry import moments, not_personal, personal, purge
from rest_contract.idempotency import forget_old_keys
from rest_contract.models import IdempotencyKey

# Answers that show the person's account, whatever it was called then, or name them. Who asks again learns why.
CLEAR = """
    UPDATE rest_contract_idempotencykey SET status = 410, headers = '{}', body = %s
    WHERE status <> 0 AND (body ~* %s OR headers::text ~* %s
        OR CASE WHEN body LIKE '%%"username"%%'
           THEN body::jsonb @? format('$.** ? (exists(@.username) && (%%s))', %s)::jsonpath END)
"""
GONE = {
    "type": "about:blank",
    "title": "Gone",
    "status": 410,
    "detail": "This request was done before. Its answer named an account that was deleted since.",
    "code": "account_deleted",
    "errors": [],
}
NOBODY = "(?!)"


def _clear_answers(person: Person, model: type[Model], columns: Sequence[str]) -> None:
    IdempotencyKey.objects.filter(owner__in=list(person.ids)).delete()
    pattern = person.identifier_pattern or NOBODY
    same = " || ".join(f"@.id == {int(pk)}" for pk in person.ids)
    with connection.cursor() as cursor:
        cursor.execute(CLEAR, [json.dumps(GONE), pattern, pattern, same])


def _purge_keys(now: datetime) -> int:
    return forget_old_keys()


moments("rest_contract")
personal("rest_contract.IdempotencyKey", "headers body", erase=_clear_answers, kept="24 hours")
not_personal("rest_contract.IdempotencyKey", "key fingerprint", "keyed hashes")
purge("answers to repeated requests", after="24 hours", run=_purge_keys)
