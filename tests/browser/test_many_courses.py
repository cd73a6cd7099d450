"""The Enrollments page of the wizard when both accounts have more courses than one page shows."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from learning_records.models import Course, Enrollment
from merging.models import Merge
from tests.factories import SuperadminFactory, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)
COURSES = 120


@pytest.fixture
def start() -> tuple[User, str]:
    """A superadmin, and the address of the Enrollments page for two accounts that have every course both."""
    boss, source, destination = SuperadminFactory.create(), UserFactory.create(), UserFactory.create()
    courses = Course.objects.bulk_create(Course(title=f"Course {number:03}") for number in range(COURSES))
    for user, progress in ((source, 50), (destination, 10)):
        Enrollment.objects.bulk_create(
            Enrollment(user=user, course=course, status="in_progress", progress=progress) for course in courses
        )
    return boss, f"/merges/new/?source={source.pk}&destination={destination.pk}&policy=best_record&step=3"


def choose_all(page: Page) -> None:
    """Press the destination's box of every course on this page."""
    for pick in page.locator("td .pick-destination").all():
        pick.click()


def ticked(page: Page) -> int:
    return page.locator(".pick-destination input:checked").count()


@pytest.mark.parametrize("has_javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_choices_of_all_pages_last_until_the_merge(
    new_page: Callable[..., Page], sign_in: Callable[[Page, User], User], start: tuple[User, str], has_javascript: bool
) -> None:
    page = new_page(java_script_enabled=has_javascript)
    sign_in(page, start[0])
    page.goto(start[1])
    choose_all(page)
    page.get_by_role("button", name="More courses").click()
    expect(page.get_by_text("Page 2 of 3")).to_be_visible()
    assert ticked(page) == 0
    choose_all(page)
    page.get_by_role("button", name="Previous courses").click()
    expect(page.get_by_text("Page 1 of 3")).to_be_visible()
    assert ticked(page) == 50
    page.get_by_role("button", name="Next", exact=True).click()
    expect(page.get_by_role("button", name="Merge Users")).to_be_visible()
    assert "courses=~" in page.url
    page.go_back()
    expect(page.get_by_text("Page 1 of 3")).to_be_visible()
    assert ticked(page) == 50
    page.go_forward()
    page.get_by_role("button", name="Merge Users").click()
    page.wait_for_url(re.compile(r"/merges/\d+/$"))
    expect(page.get_by_text("100 courses")).to_be_visible()
    assert len(Merge.objects.get().choices["enrollments"]["courses"]) == 100
    assert (
        Enrollment.objects.filter(user=Merge.objects.get().destination_id, is_historical=False, progress=10).count()
        == 100
    )
