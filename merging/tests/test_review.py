"""The rows that review, history and REST show."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from merging import review, services
from merging.handlers import SECTIONS
from merging.models import Merge
from merging.plan import Plan
from rewards.models import PointEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def trio() -> tuple[User, User, User]:
    """A superadmin, a source with seven point entries and a destination."""
    boss = User.objects.create_user("boss", "boss@example.org", role="superadmin")
    source, destination = (User.objects.create_user(name, f"{name}@example.org") for name in ("source", "destination"))
    PointEntry.objects.bulk_create(PointEntry(user=source, amount=n, reason=f"reason {n}") for n in range(1, 8))
    return boss, source, destination


def plan_of(trio: tuple[User, User, User]) -> Plan:
    boss, source, destination = trio
    return services.preview(actor=boss, source_id=source.pk, destination_id=destination.pk, policy="best_record")


def merge_of(trio: tuple[User, User, User]) -> Merge:
    boss, source, destination = trio
    return services.request_merge(actor=boss, source_id=source.pk, destination_id=destination.pk, policy="best_record")


def points(sections: list[review.Section]) -> review.Section:
    return next(section for section in sections if section.key == "points")


def test_it_names_every_section(trio: tuple[User, User, User]) -> None:
    assert [section.key for section in review.sections(plan_of(trio), 5)] == list(SECTIONS)


def test_it_lists_the_first_rows_and_counts_the_rest(trio: tuple[User, User, User]) -> None:
    section = points(review.sections(plan_of(trio), 3))
    assert (len(section.rows), section.rest, section.total, section.counts["moved"]) == (3, 4, 7, 7)
    assert {(row.outcome, row.reason) for row in section.rows} == {("moved", "only on the source")}


def test_it_pages_through_one_section(trio: tuple[User, User, User]) -> None:
    plan = plan_of(trio)
    whole = points(review.sections(plan, 100)).rows
    paged = [row for at in (0, 3, 6) for row in points(review.sections(plan, 3, offset=at, only="points")).rows]
    assert paged == list(whole)


def test_it_loads_no_row_of_other_sections(trio: tuple[User, User, User]) -> None:
    plan = plan_of(trio)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        sections = review.sections(plan, 3, only="coins")
    assert len(queries) == 0
    assert points(sections).total == 7


@pytest.mark.covers("S3.100")
def test_the_history_shows_the_rows_of_the_review(trio: tuple[User, User, User]) -> None:
    reviewed = review.sections(plan_of(trio), 100)
    merge = merge_of(trio)
    assert review.history(merge, 100) == reviewed
    assert points(review.history(merge, 3, offset=3)).rows == points(reviewed).rows[3:6]


def test_the_history_names_rows_that_are_gone(trio: tuple[User, User, User]) -> None:
    merge = merge_of(trio)
    entry = PointEntry.objects.order_by("pk")[0]
    pk = entry.pk
    PointEntry.objects.filter(pk=pk)._raw_delete("default")
    assert points(review.history(merge, 1)).rows[0].what == f"point entry {pk}, no longer there"
