"""Pages that stay stable while the list changes."""

from __future__ import annotations

import pytest
from django.db.models import F, QuerySet

from accounts.models import User
from accounts.paging import capped_count, page_of
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def rows() -> QuerySet[User]:
    people: QuerySet[User] = User.objects.annotate(key=F("last_name"))
    return people


@pytest.fixture
def people() -> list[User]:
    """Seven, three of whom share a name."""
    return [UserFactory.create(last_name=name) for name in "ABBBCDE"]


@pytest.mark.parametrize("descending", [False, True])
def test_walking_forth_and_back_shows_everyone_once(people: list[User], descending: bool) -> None:
    expected = people[::-1] if descending else people
    seen: list[User] = []
    page = page_of(rows(), 2, descending=descending)
    assert page.before == ""
    seen += page.rows
    while page.after:
        page = page_of(rows(), 2, descending=descending, after=page.after)
        seen += page.rows
    assert seen == expected
    back = list(page.rows)
    while page.before:
        page = page_of(rows(), 2, descending=descending, before=page.before)
        back = [*page.rows, *back]
    assert back == expected


def test_a_row_that_comes_before_shifts_nothing(people: list[User]) -> None:
    first = page_of(rows(), 3)
    UserFactory.create(last_name="AA")

    assert list(page_of(rows(), 3, after=first.after).rows) == people[3:6]


@pytest.mark.parametrize(
    "mark", ["x", "AAAA", "W10", "WyJhIiwgImIiXQ", "eyJhIjoxfQ", "WyJcdTAwMDAiLDFd", "é", "[" * 999]
)
def test_a_forged_mark_shows_the_first_page(people: list[User], mark: str) -> None:
    assert list(page_of(rows(), 2, after=mark).rows) == people[:2]


def test_counts_stop_at_the_limit(people: list[User]) -> None:
    assert capped_count(User.objects.all(), 7) == "7"
    assert capped_count(User.objects.all(), 6) == "more than 6"
