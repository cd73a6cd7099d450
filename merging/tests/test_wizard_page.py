"""`/merges/new/`: the wizard without a browser."""

import re
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import AssignedUser, User
from merging.models import Merge
from tests.factories import CourseFactory, EnrollmentFactory, PointEntryFactory, PowerUserFactory, UserFactory

pytestmark = pytest.mark.django_db
HERE = "/merges/new/"


def at(source: User, destination: User | None = None, **more: object) -> str:
    query = {"source": source.pk, "destination": destination.pk if destination else "", "policy": "best_record"} | more
    return HERE + "?" + "&".join(f"{key}={value}" for key, value in query.items() if value != "")


def page(client: Client, address: str, status: int = 200) -> str:
    response = client.get(address, follow=True)
    assert response.status_code == status, response.content.decode()
    return response.content.decode()


def digest_in(html: str) -> str:
    found = re.search(r'name="digest" value="(\w+)"', html)
    assert found
    return found[1]


def confirm(client: Client, address: str, **more: Any) -> Any:
    return client.post(address, {"digest": digest_in(page(client, address))} | more)


def ticked(html: str, key: str) -> list[str]:
    return re.findall(rf'name="t\.{key}" value="(\w)" checked', html)


def test_it_asks_to_sign_in_first(client: Client, source: User) -> None:
    response = client.get(at(source))
    assert response.status_code == 302
    assert "/sign-in/" in response["Location"]


def test_it_is_closed_to_learners(client: Client, source: User, destination: User) -> None:
    client.force_login(source)
    assert client.get(at(source, destination)).status_code == 403
    assert client.post(at(source, destination, step=4)).status_code == 403


@pytest.mark.parametrize("rights", [[], ["users.view"], ["users.edit"], ["users.view", "users.delete"]])
def test_it_is_closed_to_power_users_without_both_rights(client: Client, source: User, rights: list[str]) -> None:
    client.force_login(PowerUserFactory.create(rights=rights))
    assert client.get(at(source)).status_code == 403


def test_accounts_of_others_do_not_exist_for_a_power_user(client: Client, source: User, destination: User) -> None:
    power = PowerUserFactory.create()
    AssignedUser.objects.create(power_user=power, user=source)
    client.force_login(power)
    assert client.get(at(source)).status_code == 200
    for address in (at(source, destination), at(destination, source), HERE + "?source=999999"):
        assert client.get(address).status_code == 404
        assert client.post(address).status_code == 404


@pytest.mark.parametrize("policy", ["best_record", "keep_primary"])
@pytest.mark.parametrize("step", [1, 4])
def test_it_names_both_roles(
    client: Client, boss: User, source: User, destination: User, policy: str, step: int
) -> None:
    html = page(client, at(source, destination, policy=policy, step=step))
    assert "will be merged away" in html
    assert "will be kept" in html


def test_it_swaps_the_roles(client: Client, boss: User, source: User, destination: User) -> None:
    html = page(client, at(source, destination))
    assert f"?source={destination.pk}&amp;destination={source.pk}&amp;policy=best_record" in html


@pytest.mark.covers("S2.25", "S3.92")
@pytest.mark.parametrize("policy", ["best_record", "keep_primary"])
def test_it_says_that_a_merge_is_permanent(
    client: Client, boss: User, source: User, destination: User, policy: str
) -> None:
    html = page(client, at(source, destination, policy=policy, step=4))
    assert "a merge is permanent" in html
    assert re.search(r"Only a superadmin may undo it, until\s+<time", html)


@pytest.mark.covers("S3.72", "S2.11")
@pytest.mark.parametrize("policy", ["best_record", "keep_primary"])
def test_it_refuses_one_account_in_both_roles(client: Client, boss: User, source: User, policy: str) -> None:
    html = page(client, at(source, source, policy=policy, step=4))
    assert "already in the other role" in html
    assert "disabled" in html


def test_it_keeps_the_address_short(client: Client, boss: User, source: User, destination: User) -> None:
    form = at(source, destination, step=3, sent="profile", merge="on") + "&t.phone=d&t.first_name=s"
    response = client.get(form)
    assert response["Location"] == at(source, destination, step=3, fields="phone:d")


def test_it_remembers_a_switch_in_the_address(client: Client, boss: User, source: User, destination: User) -> None:
    response = client.get(at(source, destination, step=4, sent="enrollments"))
    assert response["Location"] == at(source, destination, step=4, off="enrollments")


def test_it_keeps_choices_while_one_turns_pages(client: Client, boss: User, source: User, destination: User) -> None:
    for number in range(60):
        course = CourseFactory.create(title=f"Course {number:02}")
        EnrollmentFactory.create(user=source, course=course, completed=True, score=90)
        if number >= 55:
            EnrollmentFactory.create(user=destination, course=course, completed=True, score=80)
    first = page(client, at(source, destination, step=3))
    keys = re.findall(r'name="t\.(\d+)" value="s"', first)
    assert len(keys) == 5  # both have these, so they come first; the others can't be chosen
    assert "Page 1 of 2" in first
    moved = client.get(
        at(source, destination, step=3, page=2, sent="enrollments", merge="on") + f"&t.{keys[0]}=d", follow=True
    )
    assert "Page 2 of 2" in moved.content.decode()
    again = page(client, at(source, destination, step=3, courses=f"{keys[0]}:d"))
    assert ticked(again, keys[0]) == ["d"]


@pytest.mark.covers("S3.45")
@pytest.mark.parametrize("field", ["username", "email", "password"])
def test_it_refuses_forged_choices(client: Client, boss: User, source: User, destination: User, field: str) -> None:
    address = at(source, destination, step=4, fields=f"{field}:s")
    html = page(client, address)
    assert "always kept" in html
    assert 'name="digest"' not in html
    response = client.post(address, {"digest": "x"})
    assert response.status_code == 409
    assert not Merge.objects.exists()


@pytest.mark.covers("S3.98")
def test_it_merges_what_was_reviewed(client: Client, boss: User, source: User, destination: User) -> None:
    response = confirm(client, at(source, destination, step=4), reason="rehired")
    merge = Merge.objects.get()
    assert response["Location"] == f"/merges/{merge.pk}/"
    assert (merge.status, merge.performed_by, merge.reason) == ("done", boss, "rehired")


def test_a_second_click_leads_to_the_same_merge(client: Client, boss: User, source: User, destination: User) -> None:
    address = at(source, destination, step=4)
    digest = digest_in(page(client, address))
    first, second = (client.post(address, {"digest": digest}) for _ in range(2))
    assert first["Location"] == second["Location"]
    assert Merge.objects.count() == 1


def test_a_large_merge_is_queued_once(
    client: Client, boss: User, source: User, destination: User, settings: Settings
) -> None:
    settings.MERGE_INLINE_LIMIT = 0
    address = at(source, destination, step=4)
    digest = digest_in(page(client, address))
    first, second = (client.post(address, {"digest": digest}) for _ in range(2))
    assert first["Location"] == second["Location"]
    assert Merge.objects.get().status == "queued"


@pytest.mark.covers("P.10")
def test_a_stale_review_shows_the_new_one(client: Client, boss: User, source: User, destination: User) -> None:
    address = at(source, destination, step=4)
    digest = digest_in(page(client, address))
    PointEntryFactory.create(user=source)
    response = client.post(address, {"digest": digest, "reason": "typed before"})
    html = response.content.decode()
    assert response.status_code == 409
    assert "<li>Points</li>" in html
    assert "typed before" in html
    assert digest_in(html) != digest
    assert not Merge.objects.exists()


def test_it_needs_the_digest_of_a_review(client: Client, boss: User, source: User, destination: User) -> None:
    assert client.post(at(source, destination, step=4)).status_code == 409
    assert not Merge.objects.exists()


def test_it_asks_for_the_password_again(
    client: Client, boss: User, source: User, destination: User, settings: Settings
) -> None:
    settings.RECENT_SIGN_IN_MINUTES = 0
    response = confirm(client, at(source, destination, step=4))
    assert response["Location"].startswith("/confirm-password/?next=%2Fmerges%2Fnew%2F")
    assert not Merge.objects.exists()


def test_it_shows_blockers_on_top(client: Client, boss: User, source: User, destination: User) -> None:
    User.objects.filter(pk=destination.pk).update(status="inactive")
    html = page(client, at(source, destination, step=4))
    assert html.index("destination is inactive") < html.index('class="review"')
    assert re.search(r"<button[^>]* disabled[^>]*>.*?Merge Users", html, re.DOTALL)


def test_it_pages_long_sections(client: Client, boss: User, source: User, destination: User) -> None:
    for _ in range(60):
        PointEntryFactory.create(user=source)
    html = page(client, at(source, destination, step=4))
    assert "Rows 1 to 50 of 60; 10 more" in html
    html = page(client, at(source, destination, step=4, tab="points", page=2))
    assert "Rows 51 to 60 of 60" in html


def test_it_fills_the_panel_alone_when_htmx_asks(client: Client, boss: User, source: User) -> None:
    response = client.get(at(source), headers={"HX-Request": "true", "HX-Target": "panel"})
    html = response.content.decode()
    assert "<html" not in html
    assert 'id="panel-title"' in html
    assert response["HX-Push-Url"] == at(source)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "source=x",
        "source=0",
        "policy=nonsense",
        "policy=manual",
        "step=99",
        "destination_text=jane",
        "source=" + "9" * 40,
    ],
)
def test_it_makes_the_best_of_odd_addresses(client: Client, boss: User, query: str) -> None:
    assert "Nobody chosen yet." in page(client, f"{HERE}?{query}")


def test_it_finds_accounts_without_javascript(client: Client, boss: User, source: User, destination: User) -> None:
    html = page(client, at(source) + "&destination_text=Smith")
    assert f'name="destination" value="{destination.pk}"' in html


def test_keep_primary_goes_straight_to_the_review(client: Client, boss: User, source: User, destination: User) -> None:
    html = page(client, at(source, destination, policy="keep_primary"))
    assert digest_in(html)
    assert "Duplicate User Account" in html
    assert "The destination&#x27;s profile is kept." in html


def test_it_says_when_merging_is_off(
    client: Client, boss: User, source: User, destination: User, settings: Settings
) -> None:
    settings.MERGING_ENABLED = False
    html = page(client, at(source, destination, step=4))
    assert 'data-code="merging_is_off"' in html


def test_names_are_told_as_text(client: Client, boss: User, destination: User) -> None:
    odd = UserFactory.create(first_name="<script>alert(1)</script>")
    assert "<script>alert" not in page(client, at(odd, destination, step=4))
