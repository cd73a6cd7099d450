"""Every prepared pair, merged through the panel by a person who knows README alone: Review, transcript, undo."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from lms.demo import signins
from lms.demo.load import load
from lms.demo.stage import Prepared, all_pairs

pytestmark = pytest.mark.django_db(transaction=True)
PAIRS = [prepared for prepared, _ in all_pairs()]
ASIDE = ("Historical", "Superseded", "Inactive", "Released")
SAID_OTHERWISE = {"level", "certificate", "points", "coins", "active", "approved"}
REVIEW = """() => Object.fromEntries([...document.querySelectorAll("section.section")].map(section => [
    section.id.replace("section-", ""),
    [...section.querySelectorAll("tbody tr")].map(row => [...row.children].map(cell => cell.textContent.trim()))]))"""
TRANSCRIPT = """() => Object.fromEntries([...document.querySelectorAll("main section.panel[id]")].map(section => [
    section.id, [...section.querySelectorAll("tbody tr")].map(row => row.innerText)]))"""


@dataclass
class Walk:
    """The way of one person through the portal."""

    page: Page

    def open_panel(self, source: str) -> None:
        self.page.goto(f"/users/?q={source}&status=all")
        self.page.get_by_label(f"Actions for {source}", exact=True).click()
        self.page.get_by_role("link", name="Merge User").locator("visible=true").first.click()

    def choose(self, destination: str) -> None:
        panel = self.page.locator("#panel")
        panel.get_by_role("combobox", name="Destination").fill(destination)
        panel.get_by_role("option").filter(has_text=re.compile(rf"\b{re.escape(destination)}@")).click()
        expect(panel.locator(".side-destination")).to_contain_text(destination)

    def go_to_review(self) -> None:
        panel = self.page.locator("#panel")
        for step in ("User Information", "Enrollments", "Review"):
            panel.get_by_role("button", name="Next").locator("visible=true").last.click()
            expect(panel.locator("[aria-current=step]")).to_have_text(step)

    def rows(self) -> dict[str, list[list[str]]]:
        """What Review, or the merge's page, says per section: cells of each row."""
        found: dict[str, list[list[str]]] = self.page.evaluate(REVIEW)
        return {key: sorted(rows) for key, rows in found.items() if rows}

    def transcript(self, username: str) -> dict[str, list[str]]:
        """Everything that an account holds, history included, as its page shows it."""
        self.page.goto(f"/users/{User.objects.get(username=username).pk}/?history=1")
        found: dict[str, list[str]] = self.page.evaluate(TRANSCRIPT)
        return found

    def undo(self) -> None:
        self.page.goto("/merges/")
        self.page.goto(self.page.locator("main table a[href*='/merges/']").first.get_attribute("href") or "")
        self.page.get_by_role("link", name="Undo merge").click()
        self.page.get_by_label("Reason").fill("only looking")
        self.page.get_by_role("button", name="Undo merge").click()
        expect(self.page.get_by_text("Undone").first).to_be_visible()


@pytest.fixture
def walk(page: Page, sign_in: Callable[[Page, User], User]) -> Walk:
    load(0, timezone.now().replace(microsecond=0))
    sign_in(page, User.objects.get(username="admin"))
    return Walk(page)


def words(text: str) -> set[str]:
    return set(re.findall(r"[\w.-]+", text.replace("+", " "))) - SAID_OTHERWISE


def agree(review: dict[str, list[list[str]]], transcript: dict[str, list[str]], source: str) -> list[str]:
    """The rows of Review that the destination's transcript doesn't show as Review said; each line counts once."""
    missing = []
    for section, lines in transcript.items():
        left = list(lines)
        for what, outcome, *_ in review.get(section, []):
            fitting = [line for line in left if words(what) <= words(line) and _as_said(outcome, line, source)]
            if outcome == "stays":
                continue
            if fitting:
                left.remove(fitting[0])
            else:
                missing.append(f"{section}: {what} {outcome}")
    return missing


def _as_said(outcome: str, line: str, source: str) -> bool:
    is_aside = any(word in line for word in ASIDE)
    if outcome == "superseded":
        return is_aside
    return not is_aside and (outcome != "moved" or f"from {source}" in line)


@pytest.mark.covers("S3.91", "S3.98", "S3.100", "P.5")
@pytest.mark.parametrize("pair", [pair for pair in PAIRS if not pair.refused], ids=lambda pair: pair.source)
def test_it_merges_as_reviewed_row_by_row_and_comes_back(walk: Walk, pair: Prepared) -> None:
    before = [walk.transcript(name) for name in (pair.source, pair.destination)]
    walk.open_panel(pair.source)
    walk.choose(pair.destination)
    walk.go_to_review()
    review = walk.rows()
    walk.page.get_by_role("button", name="Merge Users").click()
    walk.page.wait_for_url(re.compile(r"/merges/\d+/$"))
    assert walk.rows() == review
    assert agree(review, walk.transcript(pair.destination), pair.source) == []
    walk.undo()
    assert [walk.transcript(name) for name in (pair.source, pair.destination)] == before


@pytest.mark.covers("S3.8")
@pytest.mark.parametrize("pair", [pair for pair in PAIRS if pair.refused], ids=lambda pair: pair.source)
def test_it_refuses_in_words_and_goes_no_further(walk: Walk, pair: Prepared) -> None:
    walk.open_panel(pair.source)
    walk.choose(pair.destination)
    said = {"paul.graham": "inactive", "lena.fischer": "power user"}[pair.source]
    expect(walk.page.locator("#panel [role=alert], #panel .alert").first).to_contain_text(said, ignore_case=True)
    expect(walk.page.locator("#panel").get_by_role("button", name="Next")).to_be_disabled()


@pytest.mark.covers("S3.19")
def test_it_lets_the_actor_choose_what_is_merged(walk: Walk) -> None:
    walk.open_panel("jin.ito")
    walk.choose("jin.itoh")
    panel = walk.page.locator("#panel")
    for step in ("User Information", "Enrollments", "Review"):
        panel.get_by_role("button", name="Next").locator("visible=true").last.click()
        expect(panel.locator("[aria-current=step]")).to_have_text(step)
        if step != "Review":
            panel.get_by_role("checkbox", name="Merge").uncheck()
    outcomes = {key: {row[1] for row in rows} for key, rows in walk.rows().items()}
    assert outcomes["enrollments"] == outcomes["transactions"] == {"stays"}
    expect(panel).to_contain_text("The destination's profile is kept.")


@pytest.mark.covers("S3.39")
def test_it_offers_no_way_to_leave_external_training_out(walk: Walk) -> None:
    walk.open_panel("ivan.petrov")
    walk.choose("ivan.petroff")
    panel = walk.page.locator("#panel")
    for step in ("User Information", "Enrollments", "Review"):
        panel.get_by_role("button", name="Next").locator("visible=true").last.click()
        expect(panel.locator("[aria-current=step]")).to_have_text(step)
        controls = panel.locator("input, select, textarea, label").evaluate_all(
            "all => all.map(one => `${one.name || ''} ${one.textContent}`)"
        )
        assert [control for control in controls if "training" in control.lower()] == []
    walk.page.goto(f"{walk.page.url}&external_trainings=off&training=off")
    moved = [what for what, outcome, *_ in walk.rows()["external_trainings"] if outcome == "moved"]
    assert moved == ["Auditor course at the chamber", "Welding certificate"]


def test_it_lets_in_with_the_password_of_the_readme(page: Page) -> None:
    load(0, timezone.now().replace(microsecond=0))
    page.goto("/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(signins.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("User Management")
