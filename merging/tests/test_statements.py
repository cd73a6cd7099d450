"""However many rows a merge moves, it sends the same statements, and no moved row passes through Python."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.models import Model
from django.db.models.signals import post_init
from django.test.utils import CaptureQueriesContext

from learning_records.models import Certificate, Enrollment, LearningRecord
from merging.handlers import registered
from rewards.models import PointEntry
from tests import factories
from tests.merging_cases import Pair

pytestmark = pytest.mark.django_db


def filled(rows: int) -> Pair:
    """Every account has rows of the kinds that grow; every third course is shared."""
    pair = Pair.make()
    courses = factories.CourseFactory.create_batch(rows)
    for user, theirs in ((pair.source, courses), (pair.destination, courses[::3])):
        for course in theirs:
            factories.EnrollmentFactory.create(user=user, course=course, completed=True)
            factories.CertificateFactory.create(user=user, course=course)
            factories.LearningRecordFactory.create(user=user, course=course)
            factories.PointEntryFactory.create(user=user)
    return pair


def test_the_number_of_statements_is_bounded_and_independent_of_rows() -> None:
    counts = []
    for rows in (3, 30):
        pair = filled(rows)
        with CaptureQueriesContext(connection) as merging:
            merge = pair.merge()
        with CaptureQueriesContext(connection) as undoing:
            pair.undo(merge)
        counts.append((len(merging), len(undoing)))
    tables = {claim.model for handler in registered() for claim in handler.claims}
    assert counts[0] == counts[1]
    assert max(counts[1]) <= 4 * len(tables) + 20


def test_no_moved_row_passes_through_python() -> None:
    pair, seen = filled(5), []
    moved = (Enrollment, Certificate, LearningRecord, PointEntry)

    def count(sender: type[Model], **facts: object) -> None:
        seen.append(sender)

    for model in moved:
        post_init.connect(count, sender=model)
    try:
        merge = pair.merge()
        pair.undo(merge)
    finally:
        for model in moved:
            post_init.disconnect(count, sender=model)
    assert merge.counts["enrollments"]["moved"] > 0
    assert seen == []
