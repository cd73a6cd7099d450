"""After the merge: its page, its undo, what may be done with the source; and the list of merges."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from pytest_django import Settings

from accounts.models import User
from learning_records.models import Enrollment
from merging import services, tasks
from merging.models import Merge
from tests.browser.conftest import NARROW
from tests.factories import EnrollmentFactory
from tests.merging_cases import Pair

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def pair(page: Page, sign_in: Callable[[Page, User], User]) -> Pair:
    """Two accounts, one enrollment on the source, and a superadmin who has signed in."""
    pair = Pair.make()
    EnrollmentFactory.create(user=pair.source, course__title="Safety 101")
    sign_in(page, pair.actor)
    return pair


def test_a_superadmin_undoes_a_merge(page: Page, pair: Pair) -> None:
    merge = pair.merge()
    page.goto(f"/merges/{merge.pk}/")
    page.get_by_role("link", name="Undo merge").click()
    expect(page.get_by_role("row", name="Enrollments")).to_contain_text("1")
    page.get_by_label("Reason").fill("They are two people")
    page.get_by_role("button", name="Undo merge").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("taken back")
    expect(page.get_by_text("They are two people")).to_be_visible()
    assert Enrollment.objects.get().user == pair.source


def test_an_undo_that_would_lose_work_names_the_rows(page: Page, pair: Pair) -> None:
    merge = pair.merge()
    Enrollment.objects.update(user=pair.actor)
    page.goto(f"/merges/{merge.pk}/undo/")
    expect(page.get_by_role("alert")).to_contain_text("Safety 101")
    expect(page.get_by_role("button", name="Undo merge")).to_have_count(0)


def test_the_page_follows_a_queued_merge_without_a_reload(page: Page, pair: Pair, settings: Settings) -> None:
    settings.MERGE_INLINE_LIMIT = 0
    merge = pair.merge()
    page.goto(f"/merges/{merge.pk}/")
    expect(page.get_by_role("progressbar", name="Merging")).to_be_visible()
    tasks.run_merge(merge.pk)
    expect(page.get_by_text("Possible for a superadmin until")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_count(0)
    expect(page.get_by_role("heading", level=1)).to_contain_text("was merged")
    expect(page.get_by_role("tab", name="Enrollments")).to_be_visible()


@pytest.mark.covers("S3.103", "S3.104")
def test_the_source_is_deactivated_or_deleted_by_hand(page: Page, pair: Pair) -> None:
    merge = pair.merge()
    page.goto(f"/merges/{merge.pk}/")
    afterwards = page.get_by_role("region", name="The source afterwards")
    expect(afterwards).to_contain_text("The destination loses nothing.")
    afterwards.get_by_role("link", name="Deactivate the source").click()
    page.get_by_role("button", name=re.compile("Deactivate")).click()
    expect(page.get_by_text("Inactive").first).to_be_visible()
    assert User.objects.get(pk=pair.source.pk).status == "inactive"
    page.goto(f"/merges/{merge.pk}/")
    expect(page.get_by_role("link", name="Delete the source")).to_be_visible()


def test_the_list_leads_to_a_merge(page: Page, pair: Pair) -> None:
    merge = pair.merge()
    page.goto("/")
    page.locator("summary", has=page.get_by_label("Admin Menu")).click()
    page.get_by_role("navigation", name="Admin Menu").get_by_role("link", name="Merges").click()
    page.get_by_label("Status").select_option("Done")
    page.get_by_role("button", name="Filter").click()
    page.get_by_role("link", name=f"Merge {merge.pk}", exact=True).click()
    expect(page).to_have_url(re.compile(rf"/merges/{merge.pk}/$"))


def test_one_click_too_many_gives_one_merge(page: Page, pair: Pair) -> None:
    page.goto(f"/merges/new/?source={pair.source.pk}&destination={pair.destination.pk}&policy=best_record&step=4")
    page.get_by_role("button", name="Merge Users").dblclick()
    page.wait_for_url(re.compile(r"/merges/\d+/$"))
    assert Merge.objects.count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_the_pages_are_accessible(
    page: Page, pair: Pair, accessible: Callable[[Page], None], scheme: str, size: str
) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    if size == "narrow":
        page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    merge = pair.merge()
    for address in ("/merges/", f"/merges/{merge.pk}/", f"/merges/{merge.pk}/undo/"):
        page.goto(address)
        accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    services.undo_merge(actor=pair.actor, merge_id=merge.pk, reason="two people")
    page.goto(f"/merges/{merge.pk}/")
    accessible(page)
