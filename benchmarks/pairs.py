"""Pairs of accounts with many rows, made by the database itself."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from django.db import connection

from accounts.models import User

SHARED = 0.3
SHARES = {"enrollments": 0.4, "learning_records": 0.3, "points": 0.2, "certificates": 0.05, "transactions": 0.05}

FILL = """
    INSERT INTO learning_records_course (id, title, code)
        SELECT n, 'Course ' || n, '' FROM generate_series(1, {courses}) n ON CONFLICT DO NOTHING;
    INSERT INTO learning_records_enrollment
        (user_id, course_id, status, score, progress, completed_at, expires_at, is_historical, void_reason)
        SELECT {user}, n, (ARRAY['enrolled', 'in_progress', 'completed', 'completed'])[1 + (n::bigint * {salt}) % 4],
               (n::bigint * {salt}) % 101, (n::bigint * {salt}) % 100, now() - n * interval '1 minute',
               CASE WHEN n % 3 = 0 THEN now() + ((n::bigint * {salt}) % 900) * interval '1 day' END, FALSE, ''
        FROM generate_series({first_enrollments}, {first_enrollments} + {enrollments} - 1) n;
    INSERT INTO learning_records_learningrecord
        (user_id, kind, course_id, title, completed_at, void_reason, origin, is_superseded)
        SELECT {user}, 'course', n, '', now(), '', 'earned', FALSE
        FROM generate_series({first_learning_records}, {first_learning_records} + {learning_records} - 1) n;
    INSERT INTO learning_records_certificate (user_id, course_id, number, score, issued_at, is_superseded)
        SELECT {user}, n, {user} || '-' || n, (n::bigint * {salt}) % 101, now(), FALSE
        FROM generate_series({first_certificates}, {first_certificates} + {certificates} - 1) n;
    INSERT INTO rewards_pointentry (user_id, amount, reason)
        SELECT {user}, n % 50, '' FROM generate_series(1, {points}) n;
    INSERT INTO commerce_transaction (user_id, amount, currency, description, reference)
        SELECT {user}, n, 'EUR', '', '' FROM generate_series(1, {transactions}) n;
"""


@dataclass(frozen=True)
class Accounts:
    source: int
    destination: int


_numbers = itertools.count(1)


def make(rows: int, shared: float = SHARED) -> Accounts:
    """A source with so many rows, and a destination with as many, of whose courses this share is the source's too."""
    number, make_user = next(_numbers), User.objects.create_user
    accounts = Accounts(make_user(f"source{number}").pk, make_user(f"destination{number}").pk)
    sizes = {kind: max(1, int(rows * share)) for kind, share in SHARES.items()}
    with connection.cursor() as cursor:
        for user, salt, shift in ((accounts.source, 7919, 0.0), (accounts.destination, 104729, 1 - shared)):
            first = {f"first_{kind}": 1 + int(size * shift) for kind, size in sizes.items()}
            courses = int(sizes["enrollments"] * 2)
            cursor.execute(FILL.format(user=user, salt=salt, courses=courses, **sizes, **first))
    return accounts
