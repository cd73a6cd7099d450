"""Credentials and standing take a recent sign-in, in pages and REST alike; other fields don't."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.test import Client
from pytest_django import Settings

from accounts.models import ApiToken, User
from accounts.services import create_token
from accounts.tests.people import PASSWORD, person, power_user, superadmin
from notices.services import send_due
from tests.factories import BranchFactory

pytestmark = pytest.mark.django_db
NEW = "a longer staple of horses"
USERS = "/api/v1/users/"


@pytest.fixture
def boss(client: Client, settings: Settings) -> User:
    """Signed in, but too long ago."""
    boss = superadmin("boss", password=PASSWORD)
    client.force_login(boss)
    settings.RECENT_SIGN_IN_MINUTES = -1
    return boss


def fields(account: User, **changes: Any) -> dict[str, Any]:
    """What the edit page sends."""
    names = ("username", "email", "first_name", "last_name", "language", "timezone", "role")
    return {name: getattr(account, name) for name in names} | {"rights": account.rights} | changes


def row(account: User) -> dict[str, Any]:
    return dict(User.objects.values().get(pk=account.pk))


GRAVE: list[dict[str, Any]] = [
    {"password": NEW},
    {"email": "new@example.com"},
    {"role": "power_user"},
    {"role": "superadmin", "first_name": "x"},
    {"status": "active", "email": "new@example.com"},
]


@pytest.mark.parametrize("change", GRAVE)
def test_rest_asks_a_session(boss: User, client: Client, change: dict[str, Any]) -> None:
    jane = person("jane")
    before = row(jane)
    answer = client.patch(f"{USERS}{jane.pk}/", change, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (403, "sign_in_again")
    assert row(jane) == before


@pytest.mark.parametrize("change", [{"rights": []}, {"assigned_users": []}, {"assigned_branches": []}])
def test_rest_asks_a_session_before_rights_and_assignments(boss: User, client: Client, change: dict[str, Any]) -> None:
    paula = power_user()
    answer = client.patch(f"{USERS}{paula.pk}/", change, content_type="application/json")
    assert answer.json()["code"] == "sign_in_again"


def test_rest_asks_a_session_before_it_makes_staff(boss: User, client: Client) -> None:
    new = {"username": "new", "email": "new@example.com"}
    for body in ({**new, "role": "superadmin"}, [{**new, "role": "power_user"}]):
        answer = client.post(USERS, body, content_type="application/json")
        assert answer.json()["code"] == "sign_in_again"
    assert client.post(USERS, {**new, "password": NEW}, content_type="application/json").status_code == 201


@pytest.mark.parametrize("change", GRAVE)
def test_the_page_asks(boss: User, client: Client, change: dict[str, Any]) -> None:
    jane = person("jane")
    before = row(jane)
    answer = client.post(f"/users/{jane.pk}/edit/", fields(jane, **change))
    assert answer["Location"].startswith(f"/confirm-password/?next=%2Fusers%2F{jane.pk}%2Fedit")
    assert row(jane) == before


@pytest.mark.parametrize("change", [{"rights": ["users.view"]}, {"assigned_users": "jane"}])
def test_the_page_asks_before_rights_and_assignments(boss: User, client: Client, change: dict[str, Any]) -> None:
    person("jane")
    paula = power_user()
    answer = client.post(f"/users/{paula.pk}/edit/", fields(paula, **change))
    assert answer["Location"].startswith("/confirm-password/")


def test_other_fields_need_nothing(boss: User, client: Client) -> None:
    for account in (person("jane"), power_user()):
        assert client.post(f"/users/{account.pk}/edit/", fields(account, first_name="A"))["Location"] == (
            f"/users/{account.pk}/"
        )
        answer = client.patch(f"{USERS}{account.pk}/", {"first_name": "B"}, content_type="application/json")
        assert answer.status_code == 200


def test_what_was_typed_comes_back_and_passwords_never(boss: User, client: Client, settings: Settings) -> None:
    jane = person("jane")
    branches = [BranchFactory.create().pk for _ in range(3)]
    typed = fields(jane, email="new@example.com", password=NEW, phone="42", branches=branches[:1])
    asked = client.post(f"/users/{jane.pk}/edit/", typed)
    assert NEW not in str(dict(client.session))
    settings.RECENT_SIGN_IN_MINUTES = 30
    back = client.post(asked["Location"], {"password": PASSWORD}, follow=True)
    page = back.content.decode()
    assert "type the password below once more" in page
    assert NEW not in page
    assert 'value="42"' in page
    assert 'value="new@example.com"' in page
    assert page.count(" checked") == 1
    done = client.post(f"/users/{jane.pk}/edit/", typed)
    assert done["Location"] == f"/users/{jane.pk}/"
    jane.refresh_from_db()
    assert (jane.email, jane.phone, jane.check_password(NEW)) == ("new@example.com", "42", True)
    assert "typed" not in client.session


@pytest.mark.parametrize(
    "name", ["current", "new", "again", "password", "Old_Password", "secret", "csrfmiddlewaretoken"]
)
def test_no_field_of_a_secret_is_kept(boss: User, client: Client, name: str) -> None:
    address = f"/users/{person('jane').pk}/delete/"
    client.post(address, {"understood": "1", name: "s3cr3t-v4lue"})
    assert client.session["typed"]["fields"] == {"understood": ["1"]}


def test_tokens_are_made_and_revoked_after_a_recent_sign_in_alone(
    boss: User, client: Client, settings: Settings
) -> None:
    settings.RECENT_SIGN_IN_MINUTES = 30
    token = create_token(owner=boss)[1]
    settings.RECENT_SIGN_IN_MINUTES = -1
    revoke = f"/preferences/api-tokens/{token.pk}/revoke/"
    for address, sent in (("/preferences/api-tokens/", {"name": "x", "scopes": ["read"], "days": 1}), (revoke, {})):
        assert client.post(address, sent)["Location"].startswith("/confirm-password/")
    assert list(ApiToken.objects.all()) == [token]
    assert client.get(revoke)["Location"] == "/preferences/api-tokens/"


def test_webhooks_ask_a_session(boss: User, client: Client) -> None:
    hook = {"url": "https://example.com/hook"}
    answers = [
        client.post("/api/v1/webhooks/", hook, content_type="application/json"),
        client.patch("/api/v1/webhooks/1/", hook, content_type="application/json"),
        client.delete("/api/v1/webhooks/1/"),
    ]
    assert [answer.json()["code"] for answer in answers] == ["sign_in_again"] * 3


def test_linking_asks(client: Client, settings: Settings) -> None:
    jane, other = person("jane", password=PASSWORD), person("other", password=PASSWORD)
    client.force_login(jane)
    settings.RECENT_SIGN_IN_MINUTES = -1
    sent = {"username": "other", "password": PASSWORD}
    asked = client.post("/preferences/linked-accounts/link/", sent)
    assert asked["Location"].startswith("/confirm-password/")
    assert client.session["typed"]["fields"] == {"username": ["other"]}
    answer = client.post("/api/v1/links/", sent, content_type="application/json")
    assert answer.json()["code"] == "sign_in_again"
    settings.RECENT_SIGN_IN_MINUTES = 30
    back = client.post(asked["Location"], {"password": PASSWORD}, follow=True)
    assert 'value="other"' in back.content.decode()
    assert client.post("/preferences/linked-accounts/link/", sent)["Location"] == "/preferences/linked-accounts/"
    assert other.pk


def test_a_token_is_its_own_proof(boss: User, caller: Any, settings: Settings) -> None:
    settings.RECENT_SIGN_IN_MINUTES = 30
    api = caller(boss)
    settings.RECENT_SIGN_IN_MINUTES = -1
    assert api.patch(f"{USERS}{boss.pk}/", {"password": NEW}, format="json").status_code == 200


def test_a_file_of_users_asks(boss: User, client: Client) -> None:
    from bulk.views import confirm

    assert confirm.asks_for_password  # type: ignore[attr-defined]


class TestPages:
    def test_nobody_sets_the_own_password_on_the_edit_page(self, client: Client) -> None:
        boss = superadmin("boss", password=PASSWORD)
        client.force_login(boss)
        address = f"/users/{boss.pk}/edit/"
        page = client.get(address).content.decode()
        assert 'name="password"' not in page
        assert "/preferences/password/" in page
        client.post(address, fields(boss, password=NEW, first_name="B"))
        boss.refresh_from_db()
        assert boss.check_password(PASSWORD)
        assert boss.first_name == "B"

    def test_a_power_user_sends_a_reset_instead_of_a_password(
        self, client: Client, broker: Any, django_capture_on_commit_callbacks: Any
    ) -> None:
        jane = person("jane")
        client.force_login(power_user("users.view", "users.edit", sees=(jane,)))  # type: ignore[arg-type]
        assert 'name="password"' not in client.get(f"/users/{jane.pk}/edit/").content.decode()
        assert 'name="password"' not in client.get("/users/new/").content.decode()
        assert f"/users/{jane.pk}/send-reset/" in client.get(f"/users/{jane.pk}/").content.decode()
        assert f"Send password reset to {jane}?" in client.get(f"/users/{jane.pk}/send-reset/").content.decode()
        with django_capture_on_commit_callbacks(execute=True):
            assert client.post(f"/users/{jane.pk}/send-reset/").status_code == 302
        assert broker.hints() == [("notices.tasks.send", [])]
        send_due()
        assert [one.to for one in mail.outbox] == [[jane.email]]
        assert f"/reset-password/{jane.pk}/" in mail.outbox[0].body

    def test_no_reset_for_whom_one_may_not_edit(self, client: Client) -> None:
        jane, other, boss = person("jane"), person("other"), superadmin()
        client.force_login(power_user("users.view", "users.edit", sees=(jane,)))  # type: ignore[arg-type]
        assert [client.post(f"/users/{pk}/send-reset/").status_code for pk in (other.pk, boss.pk)] == [404, 404]
        client.force_login(power_user("users.view", sees=(jane,), username="viewer"))  # type: ignore[arg-type]
        assert client.post(f"/users/{jane.pk}/send-reset/").status_code == 403

    def test_the_admin_site_changes_no_password(self, client: Client) -> None:
        client.force_login(superadmin())
        assert client.get("/admin/password_change/")["Location"] == "/preferences/password/"
        assert client.post("/admin/password_change/", {})["Location"] == "/preferences/password/"


def test_a_browser_changes_its_own_password_with_the_current_one_alone(client: Client) -> None:
    """However recent the sign-in: whoever finds the browser open mustn't take the account over."""
    boss = superadmin("boss", password=PASSWORD)
    client.force_login(boss)
    before = row(boss)
    answer = client.patch(f"{USERS}{boss.pk}/", {"password": NEW}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    assert row(boss) == before
    done = client.post("/preferences/password/", {"current": PASSWORD, "new": NEW, "again": NEW})
    assert done["Location"] == "/preferences/"
