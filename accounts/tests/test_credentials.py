"""Passwords: one answer, and a count that cannot be talked around."""

from __future__ import annotations

import time

import pytest
from django.contrib.auth import authenticate
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from pytest_django import Settings

from accounts.middleware import TrustedProxiesMiddleware
from accounts.models import Role, Status, User
from accounts.services import check_credentials, end_access
from accounts.sign_in import PROVEN_AT, address_of, is_recent, prove_again, reset_tokens, sign_in
from accounts.tests.people import PASSWORD, person

pytestmark = pytest.mark.django_db
FAST = "django.contrib.auth.hashers.MD5PasswordHasher"


@pytest.fixture(autouse=True)
def _low_limit(settings: Settings) -> None:
    settings.SIGN_IN_FAILURE_LIMIT = 3
    settings.SIGN_IN_LOCK_MINUTES = 15
    settings.PASSWORD_HASHERS = [FAST, *settings.PASSWORD_HASHERS]


@pytest.fixture
def jane() -> User:
    return person("Jane.Doe", email="Jane@Example.com", password=PASSWORD)


def check(username: str = "jane.doe", password: str = PASSWORD, caller: str = "10.0.0.1") -> User | None:
    return check_credentials(caller=caller, username=username, password=password)


def request_of(client: Client) -> HttpRequest:
    request = HttpRequest()
    request.session = client.session
    request.META["REMOTE_ADDR"] = "10.0.0.1"
    return request


@pytest.mark.parametrize("name", ["Jane.Doe", "JANE.DOE", " jane.doe ", "jane@example.COM"])
def test_it_knows_username_and_address_whatever_their_case(jane: User, name: str) -> None:
    assert check(name) == jane


@pytest.mark.parametrize("name", ["", " ", "nobody", "a\x00b", "x" * 10_000])
def test_it_refuses_unknown_names(jane: User, name: str) -> None:
    assert check(name) is None


@pytest.mark.parametrize("status", [Status.INACTIVE, Status.DELETED])
def test_it_refuses_accounts_that_are_not_active(jane: User, status: Status) -> None:
    User.objects.filter(pk=jane.pk).update(status=status)
    assert check() is None


def test_it_refuses_an_account_without_a_password() -> None:
    person("nopass")
    assert check("nopass", "!") is None


def test_an_old_identifier_is_no_sign_in(jane: User) -> None:
    jane.aliases.create(kind="username", value="janet")
    assert check("janet") is None


def test_it_takes_as_long_for_nobody_as_for_somebody(jane: User, settings: Settings) -> None:
    settings.SIGN_IN_FAILURE_LIMIT = settings.SIGN_IN_TARGET_LIMIT = 1000
    settings.PASSWORD_HASHERS = settings.PASSWORD_HASHERS[1:]
    jane.set_password(PASSWORD)
    jane.save()

    def took(name: str) -> float:
        start = time.perf_counter()
        for _ in range(3):
            check(name, "wrong")
        return time.perf_counter() - start

    check("warm", "up")
    known, unknown = took("jane.doe"), took("nobody")
    assert 0.3 < known / unknown < 3


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "1.1.1.1", "10.0.0.1"),
        (1, "9.9.9.9, 1.1.1.1", "1.1.1.1"),
        (2, "9.9.9.9, 1.1.1.1, 10.1.1.1", "1.1.1.1"),
        (1, "", "10.0.0.1"),
        (2, "1.1.1.1", "10.0.0.1"),
    ],
)
def test_it_believes_as_many_proxies_as_there_are(
    settings: Settings, proxies: int, forwarded: str, address: str
) -> None:
    settings.TRUSTED_PROXIES = proxies
    request = HttpRequest()
    request.META |= {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": forwarded}
    TrustedProxiesMiddleware(lambda request: HttpResponse())(request)
    assert address_of(request) == address


class TestPages:
    def test_the_backend_gives_one_answer_to_a_locked_caller_too(self, jane: User) -> None:
        request = HttpRequest()
        for _ in range(4):
            assert authenticate(request, username="jane.doe", password="wrong") is None
        assert authenticate(request, username="jane.doe", password=PASSWORD) is None

    def test_signing_in_is_recent_until_the_setting_says_no(
        self, jane: User, client: Client, settings: Settings
    ) -> None:
        request = request_of(client)
        assert sign_in(request, "jane.doe", "wrong") is None
        assert not is_recent(request)
        assert sign_in(request, "jane.doe", PASSWORD) == jane
        assert is_recent(request)
        request.session[PROVEN_AT] -= 60 * settings.RECENT_SIGN_IN_MINUTES + 1
        assert not is_recent(request)

    def test_a_time_in_the_future_proves_nothing(self, client: Client) -> None:
        request = request_of(client)
        request.session[PROVEN_AT] = int(time.time()) + 60
        assert not is_recent(request)

    def test_a_bearer_token_is_always_recent(self, client: Client) -> None:
        request = request_of(client)
        request.auth = object()  # type: ignore[attr-defined]
        assert is_recent(request)

    def test_proving_again_changes_the_key_of_the_session(self, jane: User, client: Client) -> None:
        request = request_of(client)
        sign_in(request, "jane.doe", PASSWORD)
        request.user = jane
        request.session.save()
        key = request.session.session_key
        assert not prove_again(request, "wrong")
        assert request.session.session_key == key
        assert prove_again(request, PASSWORD)
        assert request.session.session_key != key
        assert request.session["_auth_user_id"] == str(jane.pk)

    def test_a_deactivated_person_is_out_at_the_next_click(self, jane: User, client: Client) -> None:
        client.force_login(jane)
        User.objects.filter(pk=jane.pk).update(status=Status.INACTIVE)
        response = client.get("/")
        assert response.headers["Location"].startswith("/sign-in/")

    def test_a_session_knows_its_account(self, jane: User, client: Client) -> None:
        client.force_login(jane)
        with connection.cursor() as cursor:
            cursor.execute("SELECT account_id FROM accounts_session")
            assert cursor.fetchall() == [(jane.pk,)]

    def test_the_admin_site_is_for_superadmins(self, jane: User, client: Client) -> None:
        client.force_login(jane)
        assert client.get("/admin/").status_code == 302
        User.objects.filter(pk=jane.pk).update(role=Role.SUPERADMIN)
        assert client.get("/admin/").status_code == 200


def test_a_reset_link_ends_with_the_access_and_never_comes_back(jane: User) -> None:
    token = reset_tokens.make_token(jane)
    assert reset_tokens.check_token(jane, token)
    end_access([jane.pk])
    jane.refresh_from_db()
    assert not reset_tokens.check_token(jane, token)
