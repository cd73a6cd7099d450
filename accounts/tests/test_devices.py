"""The cookie of a known browser, through the pages that give it and look at it."""

from __future__ import annotations

import pytest
from django.http import HttpRequest
from django.test import Client
from pytest_django import Settings

from accounts.devices import MOST, device_of
from accounts.models import SignInFailure, User
from accounts.services import end_access
from accounts.services.throttle import target_key
from accounts.tasks import send_reset_link
from accounts.tests.people import PASSWORD, person, superadmin

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _quick(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def jane() -> User:
    return superadmin("jane", password=PASSWORD)


def sign_in(client: Client, username: str = "jane", password: str = PASSWORD, page: str = "/sign-in/") -> int:
    return client.post(page, {"username": username, "password": password}).status_code


def strangers_guess(*names: str) -> None:
    SignInFailure.objects.bulk_create(
        SignInFailure(caller=f"address 192.0.2.{n}", target=target_key(name)) for n in range(40) for name in names
    )


def known(client: Client) -> dict[int, int]:
    request = HttpRequest()
    request.COOKIES = {name: morsel.value for name, morsel in client.cookies.items()}
    device = device_of(request)
    return dict(device.epochs) if device else {}


def test_whoever_signed_in_here_before_comes_in_again(jane: User, client: Client) -> None:
    assert sign_in(client) == 302
    client.post("/sign-out/")
    strangers_guess("jane", "jane@example.com")
    assert sign_in(Client()) == 429
    assert sign_in(client, "jane@example.com") == 302


def test_the_admin_site_knows_the_browser_too(jane: User, client: Client) -> None:
    assert sign_in(client, page="/admin/login/") == 302
    assert known(client) == {jane.pk: jane.session_epoch}
    client.post("/sign-out/")
    strangers_guess("jane")
    assert sign_in(client, page="/admin/login/") == 302


def test_a_live_session_can_confirm_its_password(jane: User, client: Client, settings: Settings) -> None:
    client.force_login(jane)
    strangers_guess("jane")
    settings.RECENT_SIGN_IN_MINUTES = -1
    assert client.post("/confirm-password/", {"password": PASSWORD}).status_code == 302
    assert known(client) == {jane.pk: jane.session_epoch}


@pytest.mark.parametrize("how", ["forged", "old", "ended"])
def test_a_cookie_that_does_not_hold_is_none(jane: User, client: Client, how: str, settings: Settings) -> None:
    sign_in(client)
    client.post("/sign-out/")
    if how == "forged":
        client.cookies["device"] = client.cookies["device"].value[:-3] + "abc"
    elif how == "old":
        settings.SECRET_KEY = "another"
    else:
        end_access([jane.pk])
    strangers_guess("jane")
    assert sign_in(client) == 429


def test_a_refused_password_makes_no_browser_known(jane: User, client: Client) -> None:
    assert sign_in(client, password="wrong") == 200
    assert known(client) == {}


def test_several_people_can_share_a_browser(client: Client) -> None:
    people = [person(f"p{number}", password=PASSWORD) for number in range(MOST + 1)]
    for one in people:
        assert sign_in(client, one.username) == 302
        client.post("/sign-out/")
    assert set(known(client)) == {one.pk for one in people[1:]}


def test_a_new_password_keeps_this_browser_known(jane: User, client: Client) -> None:
    sign_in(client)
    new = "quite another passphrase"
    client.post("/preferences/password/", {"current": PASSWORD, "new": new, "again": new})
    client.post("/sign-out/")
    strangers_guess("jane")
    assert sign_in(client, password=new) == 302


def test_the_mail_is_a_way_in_while_strangers_guess(jane: User, client: Client, mailoutbox: list[object]) -> None:
    strangers_guess("jane")
    send_reset_link("jane@example.com")
    link = next(word for word in str(mailoutbox[0].body).split() if word.startswith("http"))  # type: ignore[attr-defined]
    new = "quite another passphrase"
    client.post("/" + link.split("/", 3)[3], {"new": new, "again": new})
    assert sign_in(Client(), password=new) == 429
    assert sign_in(client, password=new) == 302


def test_the_cookie_is_for_this_host_alone(jane: User, settings: Settings) -> None:
    settings.HTTPS, settings.SECURE_SSL_REDIRECT = True, False
    client = Client()
    client.post("/sign-in/", {"username": "jane", "password": PASSWORD}, secure=True)
    cookie = client.cookies["__Host-device"]
    assert (cookie["path"], cookie["domain"], cookie["samesite"]) == ("/", "", "Lax")
    assert cookie["secure"]
    assert cookie["httponly"]
