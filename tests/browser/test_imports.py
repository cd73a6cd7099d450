"""Updating users in bulk by a CSV file, in the browser, with a real worker's task."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from bulk import services
from bulk.models import Import
from tests.factories import SuperadminFactory, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)


def do_the_work() -> None:
    """What the worker does when its hint arrives."""
    file = Import.objects.get()
    while services.work(file.pk):
        pass


@pytest.mark.covers("S1.18")
def test_it_updates_users_from_a_file(
    page: Page, sign_in: Callable[[Page, User], User], accessible: Callable[[Page], None], tmp_path: Path
) -> None:
    sign_in(page, SuperadminFactory.create())
    user = UserFactory.create(username="jane", phone="1")
    path = tmp_path / "users.csv"
    path.write_text("username,email,phone\njane,,2\nnova,nova@example.org,3\nnova,,4\n=1+1,,5\n")
    page.goto("/users/")
    page.get_by_title("Admin Menu").click()
    page.get_by_role("link", name="CSV imports").click()
    page.get_by_label("CSV file of users").set_input_files(path)
    page.get_by_role("region", name="Users").get_by_role("button", name="Upload and check").click()
    do_the_work()
    page.reload()
    row = page.get_by_role("row", name="jane")
    expect(row.locator("del")).to_have_text("1")
    expect(row.locator("ins")).to_have_text("2")
    expect(page.get_by_role("row", name="=1+1")).to_contain_text("formula")
    accessible(page)
    user.refresh_from_db()
    assert user.phone == "1"
    page.get_by_role("button", name="Confirm and write 2 rows").click()
    do_the_work()
    page.reload()
    expect(page.get_by_text("What came of each row")).to_be_visible()
    user.refresh_from_db()
    assert user.phone == "2"
    assert User.objects.get(username="nova").phone == "3"
    with page.expect_download() as download:
        page.get_by_role("link", name="Download result").click()
    lines = Path(download.value.path()).read_text(encoding="utf-8-sig").splitlines()
    assert lines[1] == "2,jane,,2,changed,changed,,"
    assert lines[4].startswith("5,'=1+1,,5,refused,refused,username,")


def test_it_refuses_a_file_in_words(
    page: Page, sign_in: Callable[[Page, User], User], accessible: Callable[[Page], None], tmp_path: Path
) -> None:
    sign_in(page, SuperadminFactory.create())
    path = tmp_path / "users.csv"
    path.write_bytes("username\njané\n".encode("latin-1"))
    page.goto("/imports/")
    page.get_by_label("CSV file of users").set_input_files(path)
    page.get_by_role("region", name="Users").get_by_role("button", name="Upload and check").click()
    expect(page.get_by_text("Save it as “CSV UTF-8”")).to_be_visible()
    accessible(page)
    assert not Import.objects.exists()
