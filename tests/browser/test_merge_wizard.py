"""The merge wizard as an administrator uses it: a slide-out panel over the Users report, four pages, then the merge."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from accounts.models import BranchMembership, User
from commerce.models import Subscription
from learning_records.models import Enrollment
from merging import services
from merging.models import Merge
from rewards.models import BadgeAward
from tests.browser.conftest import NARROW
from tests.factories import (
    BadgeAwardFactory,
    BranchFactory,
    CourseFactory,
    EnrollmentFactory,
    SubscriptionFactory,
    SubscriptionPlanFactory,
    SuperadminFactory,
    TransactionFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass(frozen=True)
class Cast:
    boss: User
    source: User
    destination: User


@pytest.fixture
def cast() -> Cast:
    """A superadmin, and Jane Doe twice, with something of every kind that the review has a tab for."""
    boss = SuperadminFactory.create(username="boss", first_name="Bea", last_name="Boss")
    source = UserFactory.create(
        username="jane.old", first_name="Jane", last_name="Duplicate", phone="0123", job_title="Clerk", language="de"
    )
    destination = UserFactory.create(
        username="jane.new", first_name="Jane", last_name="Keeper", phone="0456", job_title="", language="de"
    )
    alone, done, better = (CourseFactory.create(title=f"{word} course") for word in ("Lonely", "Finished", "Better"))
    EnrollmentFactory.create(user=source, course=alone)
    EnrollmentFactory.create(user=source, course=done, completed=True)
    EnrollmentFactory.create(user=destination, course=done, status="in_progress", progress=40, score=95)
    EnrollmentFactory.create(user=source, course=better, completed=True, score=70)
    EnrollmentFactory.create(user=destination, course=better, completed=True, score=90)
    TransactionFactory.create(user=source, amount="12.50", currency="EUR", description="Course fee")
    BadgeAwardFactory.create(user=source, badge__name="Fast learner")
    seen, hidden = BranchFactory.create(name="Seen"), BranchFactory.create(name="Hidden")
    BranchMembership.objects.create(user=destination, branch=seen)
    SubscriptionFactory.create(user=source, plan=SubscriptionPlanFactory.create(name="Open library", branches=[seen]))
    SubscriptionFactory.create(user=source, plan=SubscriptionPlanFactory.create(name="Secret lab", branches=[hidden]))
    return Cast(boss, source, destination)


@pytest.fixture
def wizard(page: Page, cast: Cast, sign_in: Callable[[Page, User], User]) -> Page:
    """The page, with the superadmin signed in."""
    sign_in(page, cast.boss)
    return page


def at(cast: Cast, step: int = 1, **more: str) -> str:
    query = "".join(f"&{key}={value}" for key, value in more.items())
    address = f"/merges/new/?source={cast.source.pk}&destination={cast.destination.pk}&policy=best_record"
    return address + (f"&step={step}" if step > 1 else "") + query


def press_next(page: Page) -> None:
    page.get_by_role("button", name="Next").click()


def box(page: Page, label: str, side: str) -> Locator:
    return page.get_by_role("radio", name=re.compile(rf"^{label}: .*\({side}\)$"))


def everything() -> list[object]:
    profiles = User.objects.order_by("pk").values("pk", "first_name", "last_name", "phone", "status", "merged_into")
    tables = (Enrollment, Subscription, BadgeAward, Merge)
    return [list(profiles), *(list(table._default_manager.order_by("pk").values()) for table in tables)]


@pytest.mark.covers("S3.63", "S3.64", "S3.65", "S3.66", "S3.67", "S3.68", "S3.69", "S3.70", "S3.82", "S3.90", "S3.98")
def test_it_leads_from_the_admin_menu_to_the_merge(wizard: Page, cast: Cast) -> None:
    page = wizard
    page.goto("/")
    page.locator("summary", has=page.get_by_label("Admin Menu")).click()
    page.get_by_role("navigation", name="Admin Menu").get_by_role("link", name="Users", exact=True).click()
    page.get_by_role("searchbox").first.fill("jane.old")
    page.keyboard.press("Enter")
    expect(page.get_by_role("row").filter(has_text="jane.new")).to_have_count(0)
    row = page.get_by_role("row").filter(has_text="jane.old")
    row.locator("summary").click()
    row.get_by_role("link", name="Merge User").click()
    panel = page.get_by_role("dialog")
    expect(panel.get_by_role("region", name="Will be merged away")).to_contain_text("Jane Duplicate")
    panel.get_by_label("Destination").fill("Keep")
    panel.get_by_role("option", name="Jane Keeper").click()
    expect(panel.get_by_role("region", name="Will be kept")).to_contain_text("jane.new")
    expect(panel.get_by_role("row", name="Phone")).to_contain_text("0456")
    press_next(page)
    expect(panel.get_by_role("checkbox", name="Merge user information")).to_be_checked()
    press_next(page)
    expect(panel.get_by_role("checkbox", name="Merge enrollments")).to_be_checked()
    press_next(page)
    panel.get_by_role("button", name="Merge Users").click()
    page.wait_for_url(re.compile(r"/merges/\d+/$"))
    merge = Merge.objects.get()
    assert (merge.status, merge.source, merge.destination) == ("done", cast.source, cast.destination)
    expect(page.get_by_role("heading", level=1)).to_contain_text("was merged")


@pytest.mark.covers("S3.71")
def test_it_needs_a_destination(wizard: Page, cast: Cast) -> None:
    wizard.goto(f"/merges/new/?source={cast.source.pk}")
    expect(wizard.get_by_role("button", name="Next")).to_be_disabled()
    expect(wizard.get_by_text("Choose the Destination to go on.")).to_be_visible()


@pytest.mark.covers("S3.72")
def test_it_refuses_one_account_in_both_roles(wizard: Page, cast: Cast) -> None:
    wizard.goto(f"/merges/new/?source={cast.source.pk}")
    wizard.get_by_label("Destination").fill("jane.old")
    wizard.get_by_role("option", name="Jane Duplicate").click()
    expect(wizard.get_by_role("alert")).to_contain_text("already in the other role")
    expect(wizard.get_by_role("button", name="Next")).to_be_disabled()


@pytest.mark.covers("S3.73", "S3.76", "S3.77", "S3.78", "S3.79")
def test_it_has_one_row_per_field_and_one_tick_per_row(wizard: Page, cast: Cast) -> None:
    wizard.goto(at(cast, 2))
    expect(wizard.get_by_role("checkbox", name="Merge user information")).to_be_checked()
    rows = wizard.locator(".decisions tbody tr")
    assert rows.count() >= 9
    for row in rows.all():
        assert row.get_by_role("radio", checked=True).count() == 1
    expect(box(wizard, "Phone", "source")).to_be_checked()
    expect(box(wizard, "Job title", "source")).to_be_checked()
    phone = wizard.get_by_role("row", name="Phone")
    mark = phone.locator(".pick-destination .icon")
    expect(mark).to_be_hidden()
    phone.locator(".pick-destination").click()
    expect(mark).to_be_visible()
    expect(phone.locator(".pick-source .icon")).to_be_hidden()
    assert phone.get_by_role("radio", checked=True).count() == 1
    expect(phone.locator(".is-result")).to_have_text(re.compile(r"0456"), use_inner_text=True)
    press_next(wizard)
    press_next(wizard)
    wizard.get_by_role("button", name="Merge Users").click()
    wizard.wait_for_url(re.compile(r"/merges/\d+/$"))
    kept = User.objects.get(pk=cast.destination.pk)
    assert (kept.phone, kept.last_name, kept.job_title) == ("0456", "Duplicate", "Clerk")


@pytest.mark.covers("S3.74", "S3.75")
def test_it_goes_on_without_user_information(wizard: Page, cast: Cast) -> None:
    wizard.goto(at(cast, 2))
    wizard.get_by_role("checkbox", name="Merge user information").uncheck()
    expect(wizard.get_by_text("User information is not merged")).to_be_visible()
    press_next(wizard)
    press_next(wizard)
    wizard.get_by_role("button", name="Merge Users").click()
    wizard.wait_for_url(re.compile(r"/merges/\d+/$"))
    kept = User.objects.get(pk=cast.destination.pk)
    assert (kept.phone, kept.last_name, kept.job_title) == ("0456", "Keeper", "")


@pytest.mark.covers("S3.80", "S3.81")
def test_it_can_show_only_fields_that_differ(wizard: Page, cast: Cast) -> None:
    wizard.goto(at(cast, 2))
    box(wizard, "Phone", "destination").check()
    toggle = wizard.get_by_role("switch", name="Show only fields that differ")
    language = wizard.get_by_role("row", name="Language")
    toggle.check()
    expect(language).to_be_hidden()
    expect(wizard.get_by_role("row", name="Phone")).to_be_visible()
    toggle.uncheck()
    expect(language).to_be_visible()
    expect(box(wizard, "Phone", "destination")).to_be_checked()


@pytest.mark.covers("S3.83", "S3.86", "S3.87", "S3.88", "S3.89")
def test_it_ticks_the_better_record_and_lets_one_overrule_it(wizard: Page, cast: Cast) -> None:
    wizard.goto(at(cast, 3))
    expect(wizard.get_by_role("checkbox", name="Merge enrollments")).to_be_checked()
    assert wizard.locator(".decisions tbody tr").count() == 3
    expect(box(wizard, "Finished course", "source")).to_be_checked()
    expect(box(wizard, "Better course", "destination")).to_be_checked()
    wizard.get_by_role("row", name="Better course").locator(".pick-source").click()
    press_next(wizard)
    wizard.get_by_role("button", name="Merge Users").click()
    wizard.wait_for_url(re.compile(r"/merges/\d+/$"))
    current = Enrollment.objects.current().filter(user=cast.destination).values_list("course__title", "score")
    assert dict(current) == {"Lonely course": None, "Finished course": None, "Better course": 70}


@pytest.mark.covers("S3.84", "S3.85")
def test_it_goes_on_without_enrollments(wizard: Page, cast: Cast) -> None:
    wizard.goto(at(cast, 3))
    wizard.get_by_role("checkbox", name="Merge enrollments").uncheck()
    press_next(wizard)
    wizard.get_by_role("button", name="Merge Users").click()
    wizard.wait_for_url(re.compile(r"/merges/\d+/$"))
    current = Enrollment.objects.current().filter(user=cast.destination).values_list("course__title", "status")
    assert dict(current) == {"Finished course": "completed", "Better course": "completed"}
    assert Enrollment.objects.filter(user=cast.source, course__title="Lonely course").exists()


@pytest.mark.covers("S3.91", "S3.92", "S3.93", "S3.94", "S3.95", "S3.96", "S3.97", "S2.25")
def test_it_reviews_everything_in_tabs(wizard: Page, cast: Cast) -> None:
    wizard.goto(at(cast, 4))
    until = (timezone.now() + timedelta(days=90)).strftime("%-d %B %Y")
    notice = wizard.get_by_text("Review carefully, because a merge is permanent.").locator("..")
    expect(notice).to_contain_text(f"Only a superadmin may undo it, until {until}.")
    expected = {
        "User Information": ["Phone", "0123"],
        "Enrollments": ["Lonely course", "Finished course", "Better course", "superseded"],
        "Transactions": ["12.50", "EUR", "moved"],
        "Badges": ["Fast learner", "moved"],
        "Subscriptions": ["Open library", "moved", "Secret lab", "stays"],
    }
    for tab, words in expected.items():
        wizard.get_by_role("tab", name=tab, exact=True).click()
        section = wizard.get_by_role("tabpanel", name=tab)
        for word in words:
            expect(section).to_contain_text(word)
        expect(wizard.locator("[role=tabpanel]:visible")).to_have_count(1)


@pytest.mark.covers("S3.100")
def test_the_merge_shows_the_rows_of_its_review(wizard: Page, cast: Cast) -> None:
    wizard.goto(at(cast, 4))
    reviewed = wizard.locator(".section tbody tr").all_text_contents()
    wizard.get_by_role("button", name="Merge Users").click()
    wizard.wait_for_url(re.compile(r"/merges/\d+/$"))
    assert reviewed
    assert wizard.locator(".section tbody tr").all_text_contents() == reviewed


@pytest.mark.covers("S3.99")
def test_it_changes_nothing_when_it_is_closed(wizard: Page, cast: Cast) -> None:
    before = everything()
    wizard.goto("/users/?q=jane.old")
    row = wizard.get_by_role("row").filter(has_text="jane.old")
    for presses in range(4):
        row.locator("summary").click()
        row.get_by_role("link", name="Merge User").click()
        panel = wizard.get_by_role("dialog")
        panel.get_by_label("Destination").fill("Keep")
        panel.get_by_role("option", name="Jane Keeper").click()
        expect(panel.get_by_role("region", name="Will be kept")).to_contain_text("jane.new")
        for step in range(presses):
            press_next(wizard)
            expect(panel.locator("[aria-current=step]")).to_have_text(
                ["User Information", "Enrollments", "Review"][step]
            )
        panel.get_by_role("button", name="Close").click()
        expect(panel).to_be_hidden()
        expect(wizard).to_have_url(re.compile(r"/users/\?q=jane.old$"))
    assert everything() == before


def test_back_reload_and_a_shared_address_work(
    wizard: Page, cast: Cast, new_page: Callable[..., Page], sign_in: Callable[[Page, User], User]
) -> None:
    wizard.goto(at(cast, 2))
    wizard.get_by_role("row", name="Phone").locator(".pick-destination").click()
    press_next(wizard)
    wizard.get_by_role("row", name="Better course").locator(".pick-source").click()
    press_next(wizard)
    address = wizard.url
    wizard.reload()
    expect(wizard.get_by_role("button", name="Merge Users")).to_be_visible()
    wizard.go_back()
    expect(wizard.get_by_role("checkbox", name="Merge enrollments")).to_be_visible()
    wizard.goto(address)
    wizard.get_by_role("button", name="Back").click()
    expect(box(wizard, "Better course", "source")).to_be_checked()
    wizard.get_by_role("button", name="Back").click()
    expect(box(wizard, "Phone", "destination")).to_be_checked()
    other = new_page()
    sign_in(other, cast.boss)
    other.goto(address)
    assert other.url == address
    expect(other.get_by_role("tabpanel", name="User Information")).to_contain_text("0456")


def test_it_works_without_javascript(
    cast: Cast, new_page: Callable[..., Page], sign_in: Callable[[Page, User], User]
) -> None:
    page = new_page(java_script_enabled=False)
    sign_in(page, cast.boss)
    page.goto(f"/merges/new/?source={cast.source.pk}")
    page.get_by_label("Destination").fill("Keep")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Jane Keeper").click()
    press_next(page)
    page.get_by_role("row", name="Phone").locator(".pick-destination").click()
    expect(page.get_by_role("row", name="Phone").locator(".is-result .result-destination")).to_be_visible()
    press_next(page)
    press_next(page)
    page.get_by_role("button", name="Merge Users").click()
    assert Merge.objects.get().status == "done"
    assert User.objects.get(pk=cast.destination.pk).phone == "0456"


def test_it_is_used_by_keyboard_alone(wizard: Page, cast: Cast) -> None:
    wizard.goto(f"/merges/new/?source={cast.source.pk}")
    wizard.get_by_label("Destination").focus()
    wizard.keyboard.type("Keep")
    expect(wizard.get_by_role("option", name="Jane Keeper")).to_be_visible()
    wizard.keyboard.press("ArrowDown")
    wizard.keyboard.press("Enter")
    expect(wizard.get_by_role("region", name="Will be kept")).to_contain_text("jane.new")
    wizard.get_by_role("button", name="Next").focus()
    wizard.keyboard.press("Enter")
    box(wizard, "Phone", "source").focus()
    wizard.keyboard.press("ArrowRight")
    expect(box(wizard, "Phone", "destination")).to_be_checked()
    wizard.goto(at(cast, 4))
    wizard.get_by_role("tab", name="User Information").focus()
    wizard.keyboard.press("ArrowRight")
    expect(wizard.get_by_role("tab", name="Enrollments")).to_be_focused()
    expect(wizard.get_by_role("tabpanel", name="Enrollments")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_it_is_accessible(wizard: Page, cast: Cast, accessible: Callable[[Page], None], scheme: str, size: str) -> None:
    wizard.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    if size == "narrow":
        wizard.set_viewport_size(NARROW)  # type: ignore[arg-type]
    for step in (1, 2, 3, 4):
        wizard.goto(at(cast, step))
        accessible(wizard)
        assert wizard.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.covers("S2.6", "S2.7", "S2.8", "S2.9")
def test_the_sidebar_merges_a_duplicate_into_the_selected_user(wizard: Page, cast: Cast) -> None:
    wizard.goto("/users/?q=jane.new")
    wizard.get_by_role("row").filter(has_text="jane.new").get_by_role("radio").check(force=True)
    wizard.get_by_role("complementary").get_by_role("link", name="Merge User").click()
    expect(wizard.get_by_role("region", name="Will be kept")).to_contain_text("Jane Keeper")
    wizard.get_by_label("Duplicate User Account").fill("Dupl")
    wizard.get_by_role("option", name="Jane Duplicate").click()
    wizard.get_by_role("complementary", name="Merge").get_by_role("button", name="MERGE", exact=True).click()
    wizard.wait_for_url(re.compile(r"/merges/\d+/$"))
    merge = Merge.objects.get()
    assert (merge.policy, merge.source, merge.destination) == ("keep_primary", cast.source, cast.destination)
    assert User.objects.get(pk=cast.source.pk).status == "inactive"


@pytest.mark.covers("S2.10")
def test_leaving_the_sidebar_merge_changes_nothing(wizard: Page, cast: Cast) -> None:
    before = everything()
    wizard.goto(f"/merges/new/?source={cast.source.pk}&destination={cast.destination.pk}&policy=keep_primary")
    expect(wizard.get_by_role("button", name="MERGE", exact=True)).to_be_visible()
    wizard.goto("/users/")
    assert everything() == before


@pytest.mark.covers("S2.11")
def test_the_primary_is_no_duplicate_of_itself(wizard: Page, cast: Cast) -> None:
    wizard.goto(f"/merges/new/?destination={cast.destination.pk}&policy=keep_primary")
    wizard.get_by_label("Duplicate User Account").fill("Keep")
    wizard.get_by_role("option", name="Jane Keeper").click()
    expect(wizard.get_by_role("alert")).to_contain_text("already in the other role")


@pytest.mark.covers("P.1")
def test_the_policy_is_chosen_and_stored(wizard: Page, cast: Cast) -> None:
    wizard.goto(at(cast))
    wizard.get_by_role("radio", name="Keep primary").check()
    press_next(wizard)
    wizard.get_by_role("button", name="MERGE", exact=True).click()
    wizard.wait_for_url(re.compile(r"/merges/\d+/$"))
    assert Merge.objects.get().policy == "keep_primary"
    expect(wizard.get_by_text("Keep primary")).to_be_visible()


@pytest.mark.covers("P.10")
def test_a_stale_review_is_refused_and_says_what_changed(wizard: Page, cast: Cast) -> None:
    wizard.goto(at(cast, 4))
    Enrollment.objects.filter(user=cast.destination, course__title="Finished course").update(progress=50)
    wizard.get_by_role("button", name="Merge Users").click()
    expect(wizard.get_by_role("alert")).to_contain_text("Nothing was merged.")
    expect(wizard.get_by_role("alert").get_by_role("listitem")).to_have_text(["Enrollments"])
    assert not Merge.objects.exists()
    wizard.get_by_role("button", name="Merge Users").click()
    wizard.wait_for_url(re.compile(r"/merges/\d+/$"))
    assert Merge.objects.get().status == "done"


def test_back_in_the_panel_leads_to_the_page_before(wizard: Page, cast: Cast) -> None:
    wizard.goto("/users/?q=jane.old")
    row = wizard.get_by_role("row").filter(has_text="jane.old")
    row.locator("summary").click()
    row.get_by_role("link", name="Merge User").click()
    panel = wizard.get_by_role("dialog")
    panel.get_by_label("Destination").fill("Keep")
    panel.get_by_role("option", name="Jane Keeper").click()
    expect(panel.get_by_role("region", name="Will be kept")).to_contain_text("jane.new")
    press_next(wizard)
    expect(panel.get_by_role("checkbox", name="Merge user information")).to_be_visible()
    wizard.go_back()
    expect(wizard.locator("[aria-current=step]")).to_have_text("Destination")
    press_next(wizard)
    expect(wizard.get_by_role("checkbox", name="Merge user information")).to_be_visible()
    for _ in range(3):
        wizard.go_back()
    expect(wizard).to_have_url(re.compile(r"/users/\?q=jane.old$"))
    row.locator("summary").click()
    row.get_by_role("link", name="Merge User").click()
    expect(wizard.get_by_role("dialog").get_by_role("region", name="Will be merged away")).to_contain_text(
        "Jane Duplicate"
    )


@pytest.mark.covers("S2.12", "S2.13")
def test_the_person_goes_on_with_the_primary(page: Page, cast: Cast) -> None:
    cast.destination.set_password("correct horse battery")
    cast.destination.save()
    services.request_merge(
        actor=cast.boss, source_id=cast.source.pk, destination_id=cast.destination.pk, policy="keep_primary"
    )
    page.goto("/sign-in/")
    page.get_by_label("Username").fill("jane.new")
    page.get_by_label("Password").fill("correct horse battery")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Lonely course").first).to_be_visible()
