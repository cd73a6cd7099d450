"""Linked accounts, the learner's way: from the User menu to the equivalencies."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from learning_records import services as learning
from learning_records.services import NewRecord
from linking import services
from linking.models import Link, Membership, Pair
from tests.factories import PASSWORD, CourseFactory, SuperadminFactory, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)

SignIn = Callable[[Page, User], User]
PAGE = "/preferences/linked-accounts/"


@pytest.fixture
def doe() -> User:
    return UserFactory(username="jane.doe", first_name="Jane", last_name="Doe")


@pytest.fixture
def smith() -> User:
    return UserFactory(username="jane.smith", first_name="Jane", last_name="Smith", password=PASSWORD)


def earn(user: User, title: str, *, days: int | None = None) -> int:
    """A completion of a course of that title, valid for so many days from now."""
    expires_at = timezone.now() + timedelta(days=days) if days is not None else None
    course = CourseFactory(title=title)
    entry = NewRecord(user.pk, timezone.now() - timedelta(days=400), course_id=course.pk, expires_at=expires_at)
    return learning.receive([entry], actor_id=None)[0].pk


def fill(page: Page, *, password: str = PASSWORD, username: str = "jane.smith", tick: bool = False) -> None:
    """Fill the form and send it."""
    page.goto(f"{PAGE}link/")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(password)
    if tick:
        page.get_by_label("Generate equivalencies").check()
    page.get_by_role("button", name="Link account").click()


@pytest.mark.covers("S0.6")
def test_linked_accounts_ask_to_sign_in_first(page: Page) -> None:
    page.goto(PAGE)
    expect(page).to_have_url(re.compile("/sign-in/"))
    assert page.get_by_label("Password").is_visible()


@pytest.mark.covers("S0.1", "S0.7", "S0.8", "S0.9", "S0.10", "S0.11", "S0.15", "S0.28", "S0.32")
def test_the_way_of_the_guide_leads_to_two_linked_accounts(
    page: Page, sign_in: SignIn, accessible: Callable[[Page], None], doe: User, smith: User
) -> None:
    sign_in(page, doe)
    page.goto("/")
    page.locator("summary", has_text="Jane Doe").click()
    page.get_by_role("link", name="Preferences").click()
    expect(page.get_by_role("heading", name="Preferences", level=1)).to_be_visible()
    page.get_by_role("main").get_by_role("link", name="Linked accounts").click()
    expect(page.get_by_role("heading", name="Linked accounts", level=1)).to_be_visible()
    accessible(page)
    page.get_by_role("link", name="Link account").click()
    expect(page.get_by_label("Generate equivalencies")).not_to_be_checked()
    expect(page.get_by_text("Linking can't be undone.")).to_be_visible()
    accessible(page)
    page.get_by_label("Username").fill("jane.smith")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Link account").click()
    expect(page.get_by_text("The accounts are linked.")).to_be_visible()
    expect(page.get_by_role("row", name="jane.smith")).to_be_visible()
    accessible(page)
    assert set(Membership.objects.values_list("user_id", flat=True)) == {doe.pk, smith.pk}
    sign_in(page, smith)
    page.goto(PAGE)
    expect(page.get_by_role("row", name="jane.doe")).to_be_visible()


@pytest.mark.covers("S0.12", "S0.13")
def test_refused_credentials_get_one_answer(page: Page, sign_in: SignIn, doe: User, smith: User) -> None:
    doe.set_password(PASSWORD)
    doe.save()
    sign_in(page, doe)
    answer = "These credentials don't belong to an account that can be linked."
    fill(page, password="wrong")
    expect(page.get_by_role("alert")).to_have_text(answer)
    fill(page, username="nobody")
    expect(page.get_by_role("alert")).to_have_text(answer)
    fill(page, username="jane.doe")
    expect(page.get_by_role("alert")).to_contain_text("the account that you are signed in with")
    assert not Link.objects.exists()


@pytest.mark.covers("S0.16", "S0.17", "S0.19", "S0.29", "S0.30")
def test_the_equivalencies_appear_without_a_reload(page: Page, sign_in: SignIn, doe: User, smith: User) -> None:
    earn(doe, "First aid")
    earn(smith, "Fire safety", days=30)
    earn(smith, "Long ago", days=-30)
    sign_in(page, doe)
    fill(page, tick=True)
    expect(page.get_by_text("0 of 2 equivalencies are there.")).to_be_visible()
    services.issue_owed()
    expect(page.get_by_text("Done: 2 equivalencies of earlier records.")).to_be_visible()
    expect(page.get_by_role("row", name="First aid jane.smith jane.doe")).to_be_visible()
    expect(page.get_by_role("row", name="Fire safety jane.doe jane.smith")).to_be_visible()
    expect(page.get_by_text("Long ago")).to_have_count(0)


@pytest.mark.covers("S0.25")
def test_without_the_box_old_records_stay_alone(page: Page, sign_in: SignIn, doe: User, smith: User) -> None:
    earn(doe, "First aid")
    sign_in(page, doe)
    fill(page)
    services.issue_owed()
    page.goto(PAGE)
    expect(page.get_by_text("No equivalencies yet")).to_be_visible()


@pytest.mark.covers("S0.37")
def test_nothing_on_the_page_unlinks(page: Page, sign_in: SignIn, doe: User, smith: User) -> None:
    services.link_accounts(caller_id=doe.pk, other_id=smith.pk, generate_equivalencies=False)
    sign_in(page, doe)
    page.goto(PAGE)
    offers = page.get_by_role("main").locator("a, button, input")
    names = [offer.inner_text() for offer in offers.all()]
    assert names == ["Preferences", "Link account"]
    assert Pair.objects.count() == 2


def test_the_form_works_without_javascript(
    new_page: Callable[..., Page], sign_in: SignIn, doe: User, smith: User
) -> None:
    earn(doe, "First aid")
    page = new_page(java_script_enabled=False, viewport={"width": 360, "height": 740})
    sign_in(page, doe)
    fill(page, tick=True)
    expect(page.get_by_text("0 of 1 equivalencies are there.")).to_be_visible()
    services.issue_owed()
    page.get_by_role("link", name="Look again").click()
    expect(page.get_by_text("Done: 1 equivalency of earlier records.")).to_be_visible()


def test_an_admin_sees_who_linked_whom(
    page: Page, sign_in: SignIn, accessible: Callable[[Page], None], doe: User, smith: User
) -> None:
    third = UserFactory(username="third")
    services.link_accounts(caller_id=doe.pk, other_id=smith.pk, generate_equivalencies=True)
    services.link_accounts(caller_id=third.pk, other_id=smith.pk, generate_equivalencies=False)
    sign_in(page, SuperadminFactory())
    page.goto(f"/users/{smith.pk}/")
    expect(page.get_by_role("img", name="3 linked accounts: jane.doe, jane.smith, third")).to_be_visible()
    acts = page.get_by_role("list").filter(has_text="linked").locator("li")
    expect(acts).to_contain_text(["jane.doe linked jane.smith", "third linked jane.smith"])
    accessible(page)
