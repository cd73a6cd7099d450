"""The frame around every page: sign-in, User menu, Admin Menu, Preferences."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from tests.factories import (
    PASSWORD,
    BranchFactory,
    EnrollmentFactory,
    LearningRecordFactory,
    PowerUserFactory,
    SuperadminFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db(transaction=True)

SignIn = Callable[[Page, User], User]


@pytest.mark.covers("S0.6")
def test_it_asks_to_sign_in_before_linked_accounts(page: Page) -> None:
    page.goto("/preferences/linked-accounts/")

    expect(page).to_have_url(re.compile(r"/sign-in/\?next=/preferences/linked-accounts/$"))
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_it_signs_in_and_out_with_the_form(page: Page) -> None:
    UserFactory.create(username="jane", email="jane@example.com", first_name="Jane", last_name="Doe", password=PASSWORD)
    page.goto("/")
    page.get_by_label("Username or e-mail address").fill("JANE@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()

    expect(page.get_by_role("heading", name="My learning")).to_be_visible()

    page.get_by_role("banner").get_by_text("Jane Doe").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()


def test_it_gives_one_answer_to_wrong_passwords_and_unknown_names(page: Page) -> None:
    UserFactory.create(username="jane", password=PASSWORD)
    answers = []
    for name in ("jane", "nobody"):
        page.goto("/sign-in/")
        page.get_by_label("Username or e-mail address").fill(name)
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Sign in").click()
        answers.append(page.get_by_role("alert").inner_text())

    assert answers[0] == answers[1] != ""


@pytest.mark.covers("S0.7")
def test_a_click_on_ones_name_expands_the_user_menu(page: Page, sign_in: SignIn) -> None:
    sign_in(page, UserFactory.create(first_name="Jane", last_name="Doe"))
    page.goto("/")
    menu, name = page.get_by_role("navigation", name="User menu"), page.get_by_role("banner").get_by_text("Jane Doe")
    expect(menu).to_be_hidden()
    box = name.bounding_box()
    assert box is not None
    assert (box["x"] > 900, box["y"] < 60) == (True, True), "The name stands at the top right."

    name.click()

    expect(menu).to_be_visible()


@pytest.mark.covers("S0.8", "S0.9")
def test_the_user_menu_leads_to_preferences_and_on_to_linked_accounts(page: Page, sign_in: SignIn) -> None:
    sign_in(page, UserFactory.create(first_name="Jane", last_name="Doe"))
    page.goto("/")
    page.get_by_role("banner").get_by_text("Jane Doe").click()
    page.get_by_role("link", name="Preferences").click()

    expect(page.get_by_role("heading", name="Preferences", level=1)).to_be_visible()

    page.get_by_role("link", name="Linked accounts").click()
    expect(page).to_have_url(re.compile(r"/preferences/linked-accounts/$"))
    expect(page.get_by_role("heading", name="Linked accounts", level=1)).to_be_visible()


def test_the_menus_work_without_javascript(new_page: Callable[..., Page], sign_in: SignIn) -> None:
    page = new_page(java_script_enabled=False)
    sign_in(page, SuperadminFactory.create(first_name="Ada", last_name="Admin"))
    page.goto("/")
    page.get_by_role("banner").get_by_text("Ada Admin").click()
    page.get_by_role("link", name="Preferences").click()

    expect(page.get_by_role("heading", name="Preferences", level=1)).to_be_visible()


@pytest.mark.covers("S3.63")
def test_the_gear_opens_the_admin_menu_with_users_under_e_learning(page: Page, sign_in: SignIn) -> None:
    sign_in(page, SuperadminFactory.create())
    page.goto("/preferences/")
    page.get_by_role("img", name="Admin Menu").click()
    menu = page.get_by_role("navigation", name="Admin Menu")

    expect(menu.get_by_text("E-Learning")).to_be_visible()
    menu.get_by_role("list", name="E-Learning").get_by_role("link", name="Users").click()
    expect(page.get_by_role("heading", name="User Management")).to_be_visible()


def test_learners_have_no_admin_menu(page: Page, sign_in: SignIn) -> None:
    sign_in(page, UserFactory.create())
    page.goto("/")

    expect(page.get_by_role("heading", name="My learning")).to_be_visible()
    expect(page.get_by_role("img", name="Admin Menu")).to_have_count(0)


def test_menus_move_by_arrows_and_close_by_escape(page: Page, sign_in: SignIn) -> None:
    sign_in(page, SuperadminFactory.create())
    page.goto("/users/")
    name = page.get_by_role("banner").locator("summary").last
    name.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name="Preferences")).to_be_focused()

    page.keyboard.press("Escape")

    expect(page.get_by_role("navigation", name="User menu")).to_be_hidden()
    expect(name).to_be_focused()


def test_a_chosen_appearance_stays(page: Page, sign_in: SignIn) -> None:
    sign_in(page, UserFactory.create())
    page.goto("/preferences/")
    page.get_by_label("Dark").check()
    page.get_by_role("button", name="Save appearance").click()

    page.goto("/")

    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(18, 21, 25)"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_every_page_of_accounts_is_accessible(
    new_page: Callable[..., Page], sign_in: SignIn, accessible: Callable[[Page], None], scheme: str, width: int
) -> None:
    page = new_page(viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce")
    learner = UserFactory.create()
    PowerUserFactory.create()
    BranchFactory.create_batch(10)
    LearningRecordFactory.create(user=learner)
    EnrollmentFactory.create(user=learner, completed=True)
    page.goto("/sign-in/")
    accessible(page)
    sign_in(page, SuperadminFactory.create())
    for path in (
        f"/users/?selected={learner.pk}",
        "/users/?q=nobody-has-this-name",
        "/users/new/",
        f"/users/{learner.pk}/",
        f"/users/{learner.pk}/edit/",
        f"/users/{learner.pk}/delete/",
        "/branches/",
        "/branches/new/",
        "/preferences/",
        "/preferences/password/",
        "/preferences/api-tokens/",
        "/preferences/sessions/",
        "/confirm-password/",
        "/nowhere/",
    ):
        page.goto(path)
        accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{path} is wider than the screen."
