"""The Users report: find, filter, sort, select, and the menu at the end of a row."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from accounts.models import Status, User
from tests.factories import PowerUserFactory, SuperadminFactory, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)

SignIn = Callable[[Page, User], User]


@pytest.fixture
def jane(page: Page, sign_in: SignIn) -> User:
    """A learner among others, with a superadmin at the screen."""
    UserFactory.create_batch(3, first_name="Otto")
    sign_in(page, SuperadminFactory.create(first_name="Ada", last_name="Admin"))
    return UserFactory.create(username="jane.doe", first_name="Jane", last_name="Doe", email="jd@example.com")


@pytest.mark.covers("S3.64")
@pytest.mark.parametrize("text", ["jane d", "Doe, Jane", "JANE.DOE", "jd@ex"])
def test_a_search_finds_the_row(page: Page, jane: User, text: str) -> None:
    page.goto("/users/")
    expect(page.get_by_role("row")).to_have_count(6)

    page.get_by_role("searchbox", name="Search").press_sequentially(text)

    expect(page.get_by_text("1 user", exact=True)).to_be_visible()
    expect(page.get_by_role("row", name="Jane Doe")).to_be_visible()
    expect(page.get_by_role("row")).to_have_count(2)


@pytest.mark.covers("S3.65", "S3.66")
def test_the_icon_at_the_end_of_a_row_opens_a_menu_with_merge_user(page: Page, jane: User) -> None:
    page.goto("/users/?q=jane")
    row = page.get_by_role("row", name="Jane Doe")
    expect(row.get_by_role("link", name="Merge User")).to_be_hidden()

    row.get_by_role("img", name="Actions for jane.doe").click()

    expect(row.get_by_role("link", name="Merge User")).to_be_visible()
    last = row.get_by_role("cell").last
    expect(last.get_by_role("link", name="Merge User")).to_be_visible()


@pytest.mark.covers("S3.67")
def test_merge_user_slides_out_a_panel_with_that_user_as_source(page: Page, jane: User) -> None:
    page.goto("/users/?q=jane")
    row = page.get_by_role("row", name="Jane Doe")
    row.get_by_role("img", name="Actions for jane.doe").click()
    row.get_by_role("link", name="Merge User").click()
    panel = page.get_by_role("dialog")

    expect(panel).to_be_visible()
    expect(panel).to_contain_text("Source")
    expect(panel).to_contain_text("jane.doe")
    expect(page).to_have_url(re.compile(f"source={jane.pk}"))
    panel.evaluate("panel => Promise.all(panel.getAnimations().map(slide => slide.finished))")
    box = panel.bounding_box()
    assert box is not None
    assert box["x"] > 0
    assert box["x"] + box["width"] == 1280


def test_closing_the_panel_goes_back_to_the_report(page: Page, jane: User) -> None:
    page.goto("/users/?q=jane")
    row = page.get_by_role("row", name="Jane Doe")
    row.get_by_role("img", name="Actions for jane.doe").click()
    row.get_by_role("link", name="Merge User").click()
    expect(page.get_by_role("dialog")).to_be_visible()

    page.keyboard.press("Escape")

    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page).to_have_url(re.compile(r"/users/\?q=jane$"))
    expect(row.locator("summary")).to_be_focused()


@pytest.mark.covers("S2.6", "S2.7")
def test_a_selected_user_is_the_primary_of_merge_user_in_the_sidebar(page: Page, jane: User) -> None:
    page.goto("/users/")
    side = page.get_by_role("complementary", name="Selected user")
    expect(side).to_contain_text("Select a user")

    page.get_by_role("radio", name="Select Jane Doe").check()
    expect(side).to_contain_text("Jane Doe")
    side.get_by_role("link", name="Merge User").click()

    page.wait_for_url(f"**/merges/new/?destination={jane.pk}&policy=keep_primary")
    expect(page.locator(".side-destination")).to_contain_text("jane.doe")


def test_a_user_is_selected_without_javascript_too(new_page: Callable[..., Page], sign_in: SignIn) -> None:
    page = new_page(java_script_enabled=False)
    jane = UserFactory.create(first_name="Jane", last_name="Doe")
    sign_in(page, SuperadminFactory.create(first_name="Ada", last_name="Admin"))
    page.goto("/users/?status=all")
    page.get_by_role("radio", name="Select Jane Doe").check()
    page.get_by_role("button", name="Show actions").click()

    side = page.get_by_role("complementary", name="Selected user")
    expect(side.get_by_role("link", name="Merge User")).to_be_visible()
    expect(page).to_have_url(re.compile(f"selected={jane.pk}"))
    expect(page).to_have_url(re.compile("status=all"))


@pytest.mark.covers("S2.29", "S2.30")
def test_a_merged_duplicate_is_found_by_the_inactive_filter_alone(page: Page, jane: User) -> None:
    duplicate = UserFactory.create(
        username="jane.old", first_name="Jane", last_name="Old", status=Status.INACTIVE, merged_into=jane
    )
    page.goto("/users/")
    expect(page.get_by_role("row", name="Jane Doe")).to_be_visible()
    expect(page.get_by_text("jane.old")).to_have_count(0)

    page.get_by_label("Status").select_option("Inactive")
    row = page.get_by_role("row", name="Jane Old")
    expect(row).to_contain_text("merged into jane.doe")
    expect(page.get_by_role("row", name="Jane Doe")).to_have_count(0)

    row.get_by_role("rowheader").get_by_role("link", name="Jane Old").click()
    expect(page.get_by_role("heading", name="Jane Old", level=1)).to_be_visible()
    expect(page).to_have_url(re.compile(f"/users/{duplicate.pk}/$"))


def test_the_address_bar_keeps_filters_and_the_order(page: Page, jane: User) -> None:
    page.goto("/users/")
    page.get_by_label("Role").select_option("Learner")
    page.wait_for_url("**role=learner**")
    page.get_by_role("columnheader", name="Username").get_by_role("link").click()
    page.reload()

    expect(page.get_by_label("Role")).to_have_value("learner")
    expect(page.get_by_role("columnheader", name="Username")).to_have_attribute("aria-sort", "ascending")
    expect(page.get_by_role("rowheader").first).to_contain_text("Jane Doe")


def test_a_power_user_sees_and_does_only_what_is_theirs(page: Page, sign_in: SignIn) -> None:
    power = PowerUserFactory.create(rights=["users.view"])
    theirs, other = UserFactory.create(first_name="Mine"), UserFactory.create(first_name="Other")
    power.assigned_users.create(user=theirs)
    sign_in(page, power)
    page.goto("/users/?role=learner")

    expect(page.get_by_text(theirs.username, exact=True).first).to_be_visible()
    expect(page.get_by_text(other.username, exact=True)).to_have_count(0)
    page.get_by_role("img", name=f"Actions for {theirs.username}").click()
    expect(page.get_by_role("link", name="View", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="Merge User")).to_have_count(0)
    expect(page.get_by_role("link", name="Edit")).to_have_count(0)


def test_it_fits_a_telephone(new_page: Callable[..., Page], sign_in: SignIn) -> None:
    page = new_page(viewport={"width": 360, "height": 740})
    UserFactory.create(
        first_name="Maximiliane-Alexandra",
        last_name="von und zu Hohenstein-Ravensburg",
        email=f"{'m' * 60}@example.com",
    )
    sign_in(page, SuperadminFactory.create())
    page.goto("/users/")

    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.locator(".row-menu summary").last.click()
    expect(page.get_by_role("link", name="Merge User")).to_be_in_viewport()
