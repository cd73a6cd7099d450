"""Preferences → Linked accounts, as a client sees it; the browser's own tests are in tests/browser."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import SignInFailure, User
from accounts.services.throttle import target_key
from linking.models import Link, Pair
from linking.tests.cast import earn, issue, link, person
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db
PAGE = "/preferences/linked-accounts/"


@pytest.fixture
def doe() -> User:
    return person("doe")


@pytest.fixture
def smith() -> User:
    return person("smith", password=PASSWORD)


@pytest.fixture
def browser(client: Client, doe: User) -> Client:
    client.force_login(doe)
    return client


def post(browser: Client, **changes: str) -> str:
    values = {"username": "smith", "password": PASSWORD} | changes
    return browser.post(reverse("linking:link"), values, follow=True).content.decode()


@pytest.mark.covers("S0.6")
@pytest.mark.parametrize("name", ["linked_accounts", "link", "live"])
def test_it_requires_to_be_signed_in(client: Client, name: str) -> None:
    response = client.get(reverse(f"linking:{name}"))
    assert response.status_code == 302
    assert response["Location"].startswith("/sign-in/")


@pytest.mark.covers("S0.10", "S0.15")
def test_the_form_asks_for_credentials_and_says_what_the_box_does(browser: Client) -> None:
    assert "Link account" in browser.get(PAGE).content.decode()
    text = browser.get(reverse("linking:link")).content.decode()
    assert all(word in text for word in ("Username", "Password", "Generate equivalencies", "can&#x27;t be undone"))
    assert 'type="checkbox"' in text


@pytest.mark.covers("S0.28", "S0.32")
def test_the_button_links_and_either_account_lists_the_other(browser: Client, doe: User, smith: User) -> None:
    text = post(browser)
    assert "The accounts are linked." in text
    assert "smith" in text
    assert not Link.objects.get().generates_equivalencies
    browser.force_login(smith)
    assert "doe" in browser.get(PAGE).content.decode()


def test_the_session_stays_that_of_the_caller(browser: Client, doe: User, smith: User) -> None:
    post(browser, generate_equivalencies="on")
    assert browser.get(PAGE).context["user"] == doe
    assert Link.objects.get().generates_equivalencies


@pytest.mark.covers("S0.12", "S0.13")
def test_it_says_why_and_links_nothing(browser: Client, doe: User, smith: User) -> None:
    doe.set_password(PASSWORD)
    doe.save()
    browser.force_login(doe)
    wrong, unknown = post(browser, password="wrong"), post(browser, username="nobody")
    sentence = "These credentials don&#x27;t belong to an account that can be linked."
    assert sentence in wrong
    assert sentence in unknown
    assert "that you are signed in with" in post(browser, username="doe")
    assert not Link.objects.exists()


def test_the_password_never_comes_back(browser: Client, smith: User) -> None:
    assert "not-this-secret" not in post(browser, password="not-this-secret")


def test_too_many_failures_are_refused_for_a_while(browser: Client, smith: User) -> None:
    SignInFailure.objects.bulk_create(SignInFailure(caller=f"c{n}", target=target_key("smith")) for n in range(20))
    response = browser.post(reverse("linking:link"), {"username": "smith", "password": PASSWORD})
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0


@pytest.mark.covers("S0.14")
def test_linking_again_says_that_nothing_changed(browser: Client, doe: User, smith: User) -> None:
    link(doe, smith)
    assert "linked already" in post(browser)
    assert Link.objects.count() == 1


def test_privileged_people_get_no_form(client: Client) -> None:
    client.force_login(person("boss", role="superadmin"))
    response = client.get(reverse("linking:link"))
    assert response.status_code == 403
    assert "Only learners link accounts." in response.content.decode()


@pytest.mark.covers("S0.29", "S0.30")
def test_the_progress_brings_itself_up_to_date(browser: Client, doe: User, smith: User) -> None:
    record = earn(doe)
    link(doe, smith, generate=True)
    waiting = browser.get(reverse("linking:live")).content.decode()
    assert "0 of 1 equivalencies" in waiting
    assert 'hx-trigger="every 1s"' in waiting
    issue()
    done = browser.get(reverse("linking:live")).content.decode()
    assert "Done: 1 equivalency of earlier records." in done
    assert "hx-trigger" not in done
    assert str(record.course) in done


def test_it_lists_equivalencies_page_by_page(
    browser: Client, doe: User, smith: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("linking.views.PAGE", 2)
    link(doe, smith)
    for _ in range(3):
        earn(doe)
    issue()
    first = browser.get(PAGE).content.decode()
    older = re.search(r"\?before=(\d+)", first)
    assert older is not None
    second = browser.get(PAGE + older[0]).content.decode()
    assert (first.count("<td>smith</td>"), second.count("<td>smith</td>")) == (3, 2)
    assert browser.get(f"{PAGE}?before=nonsense").status_code == 200


@pytest.mark.covers("S0.37")
def test_there_is_no_way_to_unlink_on_the_page(browser: Client, doe: User, smith: User) -> None:
    link(doe, smith)
    assert not re.search(r"unlink|remove|disconnect", browser.get(PAGE).content.decode(), re.IGNORECASE)


@pytest.mark.covers("S0.38")
@pytest.mark.parametrize("method", ["delete", "put", "patch", "post"])
def test_a_direct_request_unlinks_nothing(browser: Client, doe: User, smith: User, method: str) -> None:
    made = link(doe, smith)
    for address in (PAGE, f"{PAGE}live/", f"{PAGE}unlink/", f"/api/v1/links/{made.pk}/", "/api/v1/link-groups/"):
        assert getattr(browser, method)(address).status_code in (403, 404, 405)
    assert browser.delete(f"{PAGE}link/").status_code == 405
    assert Pair.objects.count() == 2


def test_the_picture_shows_an_admin_who_linked_whom(client: Client, doe: User, smith: User) -> None:
    link(doe, smith, generate=True)
    client.force_login(person("boss", role="superadmin"))
    text = client.get(f"/users/{smith.pk}/").content.decode()
    assert "2 linked accounts: doe, smith" in text
    assert "with equivalencies of earlier records" in text


def test_the_picture_hides_who_isnt_yours_to_see(client: Client, doe: User, smith: User) -> None:
    from accounts.models import AssignedUser

    link(doe, smith)
    power = person("power", role="power_user", rights=["users.view"])
    AssignedUser.objects.create(power_user=power, user=smith)
    client.force_login(power)
    text = client.get(f"/users/{smith.pk}/").content.decode()
    assert "Who linked whom" not in text
    assert "doe" not in text
