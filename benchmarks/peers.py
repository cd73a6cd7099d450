"""What the merge is measured against: hand-written SQL without a journal, and a loop over objects."""

from __future__ import annotations

from importlib import import_module
from io import StringIO
from typing import Any

from django.db import connection, transaction

from accounts.models import User
from benchmarks.pairs import Accounts
from commerce.models import Transaction
from learning_records.models import Certificate, Enrollment, LearningRecord
from linking.models import Membership
from rewards.models import PointEntry

STANDING = """(CASE WHEN {t}.voided_at IS NOT NULL THEN 0 ELSE
    array_position(ARRAY['withdrawn', 'waiting', 'enrolled', 'in_progress', 'completed'], {t}.status::text) END,
    coalesce({t}.score, -1), {t}.progress, coalesce({t}.expires_at, 'infinity'),
    -extract(epoch FROM coalesce({t}.completed_at, 'infinity')))"""

# The destination's losers make room; whatever of the source still meets a current record is history.
RAW = (
    f"""
    UPDATE learning_records_enrollment d SET is_historical = TRUE FROM learning_records_enrollment s
    WHERE s.user_id = %(s)s AND d.user_id = %(d)s AND s.course_id = d.course_id
      AND NOT s.is_historical AND NOT d.is_historical AND {STANDING.format(t="s")} > {STANDING.format(t="d")}""",
    """
    UPDATE learning_records_enrollment s SET user_id = %(d)s, merged_from_id = coalesce(merged_from_id, %(s)s),
        is_historical = is_historical OR EXISTS (
            SELECT FROM learning_records_enrollment d
            WHERE d.user_id = %(d)s AND d.course_id = s.course_id AND NOT d.is_historical)
    WHERE user_id = %(s)s""",
    """
    UPDATE learning_records_certificate d SET is_superseded = TRUE FROM learning_records_certificate s
    WHERE s.user_id = %(s)s AND d.user_id = %(d)s AND s.course_id = d.course_id
      AND NOT s.is_superseded AND NOT d.is_superseded
      AND (coalesce(s.score, -1), coalesce(s.expires_at, 'infinity'), -extract(epoch FROM s.issued_at))
        > (coalesce(d.score, -1), coalesce(d.expires_at, 'infinity'), -extract(epoch FROM d.issued_at))""",
    """
    UPDATE learning_records_certificate s SET user_id = %(d)s, is_superseded = is_superseded OR EXISTS (
            SELECT FROM learning_records_certificate d
            WHERE d.user_id = %(d)s AND d.course_id = s.course_id AND NOT d.is_superseded)
    WHERE user_id = %(s)s""",
    """UPDATE learning_records_learningrecord SET user_id = %(d)s, merged_from_id = coalesce(merged_from_id, %(s)s)
       WHERE user_id = %(s)s""",
    "UPDATE rewards_pointentry SET user_id = %(d)s WHERE user_id = %(s)s",
    "UPDATE commerce_transaction SET user_id = %(d)s WHERE user_id = %(s)s",
    "UPDATE accounts_user SET merged_into_id = %(d)s WHERE id = %(s)s",
)


def by_hand(accounts: Accounts) -> None:
    """Set-based SQL, written for these tables, with no preview, no journal, no undo."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT id FROM accounts_user WHERE id IN (%(s)s, %(d)s) ORDER BY id FOR UPDATE", _ids(accounts))
        for statement in RAW:
            cursor.execute(statement, _ids(accounts))


def _ids(accounts: Accounts) -> dict[str, int]:
    return {"s": accounts.source, "d": accounts.destination}


def by_extension(accounts: Accounts) -> None:
    """django-extensions' merge_model_instances, the merge that most Django projects find first.

    It stops where a unique constraint meets a row of both, so these accounts may share no course; and at a one-to-one
    row that either lacks, so both have left a link group (`stand_apart`).
    """
    command = import_module("django_extensions.management.commands.merge_model_instances").Command(stdout=StringIO())
    destination, source = (User.objects.get(pk=pk) for pk in (accounts.destination, accounts.source))
    with transaction.atomic():
        command.merge_model_instances(destination, [source])


def stand_apart(accounts: Accounts) -> None:
    """Give both a place in no link group."""
    for account in (accounts.source, accounts.destination):
        Membership.objects.create(user_id=account)


def by_loop(accounts: Accounts) -> None:
    """Object by object, as most merges are written."""
    with transaction.atomic():
        for enrollment in Enrollment.objects.filter(user=accounts.source):
            _move_enrollment(enrollment, accounts)
        for certificate in Certificate.objects.filter(user=accounts.source):
            _move_certificate(certificate, accounts)
        kinds: tuple[Any, ...] = (LearningRecord, PointEntry, Transaction)
        for model in kinds:
            for row in model.objects.filter(user=accounts.source):
                row.user_id = accounts.destination
                row.save(update_fields=["user"])


def _move_enrollment(row: Enrollment, accounts: Accounts) -> None:
    twin = Enrollment.objects.filter(user=accounts.destination, course=row.course_id, is_historical=False).first()
    if twin is not None and not row.is_historical:
        better = (row.status == "completed", row.score or -1) > (twin.status == "completed", twin.score or -1)
        twin.is_historical, row.is_historical = better, not better
        twin.save(update_fields=["is_historical"])
    row.merged_from_id = row.merged_from_id or accounts.source
    row.user_id = accounts.destination
    row.save(update_fields=["user", "is_historical", "merged_from"])


def _move_certificate(row: Certificate, accounts: Accounts) -> None:
    twin = Certificate.objects.filter(user=accounts.destination, course=row.course_id, is_superseded=False).first()
    if twin is not None:
        better = (row.score or -1) > (twin.score or -1)
        twin.is_superseded, row.is_superseded = better, not better
        twin.save(update_fields=["is_superseded"])
    row.user_id = accounts.destination
    row.save(update_fields=["user", "is_superseded"])
