"""Consolidating two accounts by hand, as an administrator does it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from accounts.models import Status, User
from consolidation.models import Consolidation
from learning_records.models import Enrollment
from tests.browser.conftest import NARROW
from tests.factories import PASSWORD, CourseFactory, EnrollmentFactory, SuperadminFactory, UserFactory, at

pytestmark = pytest.mark.django_db(transaction=True)
SignIn = Callable[[Page, User], User]


@pytest.fixture
def primary() -> User:
    """The account with more history; its e-mail bounced."""
    user = UserFactory.create(username="ada", first_name="Ada", last_name="Byron", email_state="bounced")
    for title in ("Algebra", "Shared"):
        EnrollmentFactory.create(user=user, course=CourseFactory.create(title=title), completed=True)
    return user


@pytest.fixture
def secondary(primary: User) -> User:
    user = UserFactory.create(
        username="ada.twin", first_name="Ada", last_name="Twin", email="twin@example.com", email_state="verified",
        last_login=at(2026, 3), password=PASSWORD,
    )  # fmt: skip
    EnrollmentFactory.create(user=user, course=Enrollment.objects.get(course__title="Shared").course)
    EnrollmentFactory.create(user=user, course=CourseFactory.create(title="Engines"), completed=True)
    return user


@pytest.fixture
def assistant(page: Page, sign_in: SignIn, primary: User, secondary: User) -> Page:
    """The assistant's first step, reached from the secondary's menu in the Users report."""
    sign_in(page, SuperadminFactory.create(username="boss"))
    page.goto("/users/?search=Twin")
    page.get_by_role("row", name="Twin").locator("summary").click()
    page.get_by_role("link", name="Consolidate manually").click()
    page.get_by_role("combobox", name="Other account").fill("ada")
    page.get_by_role("option", name="Byron").click()
    page.get_by_role("button", name="Next").click()
    return page


def choose(page: Page, username: str = "ada") -> None:
    page.get_by_label(f"Retain {username}", exact=True).check()
    page.get_by_role("button", name="Next: update the primary account").click()


@pytest.mark.covers("S1.3", "S1.4", "S1.5", "S1.6", "S1.7")
def test_it_asks_first_which_account_is_retained(assistant: Page, accessible: Callable[[Page], None]) -> None:
    expect(assistant.get_by_role("heading", name="Which account is retained?")).to_be_visible()
    expect(assistant.get_by_text("Suggestion: Ada Byron (ada)")).to_be_visible()
    rows = {
        "Enrollments": ("2", "2"),
        "Completions": ("2", "1"),
        "Last used": ("2025-01-01", "2026-03-01"),
        "Consistency of use": ("active in 1 month", "active in 1 month"),
    }
    for name, cells in rows.items():
        row = assistant.get_by_role("row", name=name)
        assert tuple(cell.strip() for cell in row.get_by_role("cell").all_inner_texts()) == cells
    expect(assistant.get_by_role("row", name="E-mail address")).to_contain_text("bounced")
    expect(assistant.get_by_role("row", name="E-mail address")).to_contain_text("verified")
    accessible(assistant)


@pytest.mark.covers("S1.8")
def test_it_obeys_another_choice(assistant: Page, secondary: User) -> None:
    choose(assistant, "ada.twin")
    assert Consolidation.objects.get().primary == secondary


@pytest.mark.covers("S1.9", "S1.10", "S1.11")
def test_it_shows_and_updates_the_primary(assistant: Page, primary: User, accessible: Callable[[Page], None]) -> None:
    choose(assistant)
    assistant.get_by_label("Phone").fill("040 123")
    assistant.get_by_role("button", name="Save profile").click()
    expect(assistant.get_by_text("The profile was saved.")).to_be_visible()
    primary.refresh_from_db()
    assert primary.phone == "040 123"
    held = assistant.get_by_role("region", name="Enrollments and completions of the primary account")
    expect(held.get_by_role("row", name="Algebra")).to_contain_text("Completed")
    missing = assistant.get_by_role("region", name="Enrollments that only the secondary account has")
    assert missing.get_by_role("row").count() == 2
    expect(missing).to_contain_text("Engines")
    for words in ("Topic progress", "Pathway progress", "Certificates", "Completion records"):
        expect(assistant.get_by_role("region", name="What can't be transferred")).to_contain_text(words)
    accessible(assistant)


@pytest.mark.covers("S1.12", "S1.13")
def test_it_enrolls_and_sets_dates_by_hand(assistant: Page, primary: User) -> None:
    choose(assistant)
    assistant.get_by_label("Enroll in Engines").check()
    assistant.get_by_label("Completion date of Engines").fill("2024-05-06")
    assistant.get_by_role("button", name="Enroll the ticked ones").click()
    expect(assistant.get_by_text("Nothing is missing")).to_be_visible()
    row = assistant.get_by_role("row", name="Algebra")
    row.get_by_label("Completion date of Algebra").fill("2023-02-03")
    row.get_by_role("button", name="Save date").click()
    held = assistant.get_by_role("region", name="Enrollments and completions of the primary account")
    expect(held.get_by_role("row", name="Algebra")).to_contain_text("set by hand by")
    dates = dict(Enrollment.objects.filter(user=primary).values_list("course__title", "completed_at__date"))
    assert (str(dates["Engines"]), str(dates["Algebra"])) == ("2024-05-06", "2023-02-03")


@pytest.mark.covers("S1.18")
def test_it_leads_to_the_csv_update(assistant: Page) -> None:
    choose(assistant)
    assistant.get_by_role("link", name="Update users in bulk by CSV").click()
    expect(assistant.get_by_role("heading", name="Update users in bulk by CSV")).to_be_visible()


def to_the_end(page: Page) -> None:
    choose(page)
    page.get_by_role("link", name="Next: remove the secondary account").click()


def confirm_all(page: Page) -> None:
    for words in ("The profile and contact information", "All relevant enrollments", "What can't be transferred"):
        page.get_by_label(words).check()


@pytest.mark.covers("S1.19")
def test_it_asks_to_confirm_first(assistant: Page, secondary: User) -> None:
    to_the_end(assistant)
    assistant.get_by_role("button", name="Remove the secondary account").click()
    expect(assistant.get_by_text("Confirm first")).to_be_visible()
    secondary.refresh_from_db()
    assert secondary.status == Status.ACTIVE


@pytest.mark.covers("S1.22", "S1.23", "S1.24", "S1.29", "S1.30")
def test_it_recommends_and_warns(assistant: Page, accessible: Callable[[Page], None]) -> None:
    to_the_end(assistant)
    body = assistant.locator("main")
    expect(body).to_contain_text("Normally we recommend deactivating an account rather than deleting it")
    expect(body).to_contain_text("we recommend deleting it")
    expect(body).to_contain_text("Deleted profiles and their historical records cannot be reinstated")
    notify = assistant.get_by_label("Notify the user by e-mail")
    expect(notify).not_to_be_checked()
    expect(body).to_contain_text("We suggest it when the login details change")
    accessible(assistant)


@pytest.mark.covers("S1.1", "S1.20", "S1.21", "S1.25", "S1.27", "S1.28")
def test_it_ends_with_one_account(assistant: Page, primary: User, secondary: User) -> None:
    choose(assistant)
    assistant.get_by_role("button", name="Enroll all").click()
    assistant.get_by_role("link", name="Next: remove the secondary account").click()
    confirm_all(assistant)
    assistant.get_by_label("Use the e-mail address").check()
    assistant.get_by_label("Use the username").check()
    assistant.get_by_role("button", name="Remove the secondary account").click()
    expect(assistant.get_by_text("The consolidation is finished.")).to_be_visible()
    primary.refresh_from_db()
    assert (primary.username, primary.email) == ("ada.twin", "twin@example.com")
    assert Enrollment.objects.filter(user=primary).count() == 3
    assert Client().login(username="ada.twin", password=PASSWORD) is False
    assistant.goto("/users/?search=Twin")
    expect(assistant.locator("main")).not_to_contain_text(f"deleted-{secondary.pk}")
    assistant.goto(f"/users/{secondary.pk}/")
    expect(assistant.get_by_role("link", name="Reactivate")).to_have_count(0)


def test_it_works_on_a_phone(new_page: Callable[..., Page], sign_in: SignIn, primary: User, secondary: User) -> None:
    page, boss = new_page(viewport=NARROW), SuperadminFactory.create()
    sign_in(page, boss)
    page.goto(f"/consolidations/new/?user={secondary.pk}")
    page.get_by_role("combobox", name="Other account").fill("ada")
    page.get_by_role("option", name="Byron").click()
    page.get_by_role("button", name="Next").click()
    choose(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
