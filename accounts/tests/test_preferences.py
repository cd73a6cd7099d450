"""Preferences, API tokens, branches, and giving the password again."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponse
from django.test import Client, RequestFactory

from accounts.errors import TooManyFailures
from accounts.middleware import RecentSignInMiddleware
from accounts.models import ApiToken, Branch, Right
from accounts.services import find_token
from accounts.tests.people import PASSWORD, person, power_user, superadmin

pytestmark = pytest.mark.django_db
NEW = "a longer staple of horses"


def test_a_changed_password_ends_the_other_sessions_and_keeps_this_one() -> None:
    person("jane", password=PASSWORD)
    here, elsewhere = Client(), Client()
    for client in (here, elsewhere):
        client.post("/sign-in/", {"username": "jane", "password": PASSWORD})

    answer = here.post("/preferences/password/", {"current": PASSWORD, "new": NEW, "again": NEW})

    assert answer.headers["Location"] == "/preferences/"
    assert here.get("/preferences/").status_code == 200
    assert elsewhere.get("/preferences/").status_code == 302
    assert Client().post("/sign-in/", {"username": "jane", "password": NEW}).status_code == 302


@pytest.mark.parametrize(
    ("sent", "field", "words"),
    [
        ({"current": "wrong", "new": NEW, "again": NEW}, "current", "isn't your password"),
        ({"current": PASSWORD, "new": NEW, "again": "x"}, "again", "match"),
        ({"current": PASSWORD, "new": "12345", "again": "12345"}, "new", "too short"),
    ],
)
def test_it_says_why_a_password_is_not_changed(client: Client, sent: dict[str, str], field: str, words: str) -> None:
    jane = person("jane", password=PASSWORD)
    client.force_login(jane)

    answer = client.post("/preferences/password/", sent)

    assert words in " ".join(answer.context["form"].errors[field])
    jane.refresh_from_db()
    assert jane.check_password(PASSWORD)


def test_wrong_passwords_are_counted_for_this_session_alone(client: Client, settings: pytest.FixtureRequest) -> None:
    settings.SIGN_IN_FAILURE_LIMIT = 3  # type: ignore[attr-defined]
    client.force_login(person("jane", password=PASSWORD))
    sent = {"current": "wrong", "new": NEW, "again": NEW}
    statuses = [client.post("/preferences/password/", sent).status_code for _ in range(5)]

    assert statuses[-1] == 429
    assert Client().post("/sign-in/", {"username": "jane", "password": PASSWORD}).status_code == 302


def test_a_key_is_shown_once_and_works_until_it_is_revoked(client: Client) -> None:
    client.force_login(superadmin())
    made = client.post("/preferences/api-tokens/", {"name": "Payroll", "scopes": ["read", "merge"], "days": 30})
    key = made.context["key"]
    token = ApiToken.objects.get()

    assert key in made.content.decode()
    assert made.headers["Cache-Control"].startswith("max-age=0, no-cache, no-store")
    assert key not in client.get("/preferences/api-tokens/").content.decode()
    assert (token.name, token.scopes) == ("Payroll", ["read", "merge"])
    assert find_token(key) == token

    client.post(f"/preferences/api-tokens/{token.pk}/revoke/")
    assert find_token(key) is None


@pytest.mark.parametrize(
    "sent", [{"name": "x"}, {"name": "x", "scopes": ["god"], "days": 1}, {"name": "", "scopes": ["read"], "days": 0}]
)
def test_it_refuses_a_token_that_makes_no_sense(client: Client, sent: dict[str, object]) -> None:
    client.force_login(superadmin())

    assert client.post("/preferences/api-tokens/", sent).context["form"].errors
    assert not ApiToken.objects.exists()


def test_tokens_are_for_administrators_and_their_owners(client: Client) -> None:
    client.force_login(superadmin())
    client.post("/preferences/api-tokens/", {"name": "Payroll", "scopes": ["read"], "days": 30})
    token = ApiToken.objects.get()

    client.force_login(power_user(Right.VIEW))
    assert "Payroll" not in client.get("/preferences/api-tokens/").content.decode()
    assert client.post(f"/preferences/api-tokens/{token.pk}/revoke/").status_code == 404
    client.force_login(person("jane"))
    assert client.get("/preferences/api-tokens/").status_code == 403
    assert ApiToken.objects.filter(pk=token.pk).exists()


def test_making_a_token_asks_for_the_password_when_the_sign_in_is_old(client: Client) -> None:
    boss = superadmin(password=PASSWORD)
    client.force_login(boss)
    session = client.session
    session["password_proven_at"] = 0
    session.save()
    key_before = client.session.session_key
    sent = {"name": "Payroll", "scopes": ["read"], "days": 30}

    asked = client.post("/preferences/api-tokens/", sent).headers["Location"]
    assert not ApiToken.objects.exists()
    assert client.post(asked, {"password": "wrong", "next": "/preferences/api-tokens/"}).status_code == 200
    back = client.post(asked, {"password": PASSWORD, "next": "/preferences/api-tokens/"})

    assert back.headers["Location"] == "/preferences/api-tokens/"
    assert client.session.session_key != key_before
    assert client.post("/preferences/api-tokens/", sent).status_code == 201


def test_guessing_too_often_has_its_own_page(rf: RequestFactory) -> None:
    request = rf.get("/")
    request.user = AnonymousUser()
    middleware = RecentSignInMiddleware(lambda _: HttpResponse())

    answer = middleware.process_exception(request, TooManyFailures(90))

    assert answer is not None
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "90")
    assert middleware.process_exception(request, ValueError()) is None


def test_a_part_of_a_page_sends_the_window_to_sign_in(client: Client) -> None:
    headers = {"HX-Request": "true", "HX-Target": "report", "HX-Current-URL": "http://testserver/users/?q=a"}
    answer = client.get("/users/?q=b", headers=headers)

    assert answer.headers["HX-Redirect"] == "/sign-in/?next=%2Fusers%2F%3Fq%3Da"
    assert answer.content == b""


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_signing_in_leads_nowhere_outside(client: Client, address: str) -> None:
    person("jane", password=PASSWORD)
    answer = client.post("/sign-in/", {"username": "jane", "password": PASSWORD, "next": address})

    assert answer.headers["Location"] == "/"


def test_the_appearance_is_one_of_three(client: Client) -> None:
    client.force_login(person("jane"))
    client.post("/preferences/appearance/", {"theme": "dark"})
    assert 'data-theme="dark"' in client.get("/preferences/").content.decode()

    client.post("/preferences/appearance/", {"theme": '"><script>'})
    assert client.cookies["theme"].value == "dark"
    client.cookies["theme"] = "x"
    assert "data-theme" not in client.get("/preferences/").content.decode()


def test_branches_are_created_renamed_and_moved(client: Client) -> None:
    client.force_login(superadmin())
    client.post("/branches/new/", {"name": "Top"})
    top = Branch.objects.get()
    client.post("/branches/new/", {"name": "Below", "parent": top.pk})
    below = Branch.objects.get(name="Below")
    assert below.parent == top

    client.post(f"/branches/{below.pk}/edit/", {"name": "Beside", "parent": ""})
    below.refresh_from_db()
    assert (below.name, below.parent) == ("Beside", None)


def test_a_branch_cannot_go_below_itself(client: Client) -> None:
    client.force_login(superadmin())
    top = Branch.objects.create(name="Top")
    below = Branch.objects.create(name="Below", parent=top)

    answer = client.post(f"/branches/{top.pk}/edit/", {"name": "Top", "parent": below.pk})

    assert answer.context["form"].errors["parent"]
    top.refresh_from_db()
    assert top.parent is None


def test_power_users_see_their_branches_and_change_none(client: Client) -> None:
    power = power_user(Right.VIEW, Right.EDIT)
    mine, other = Branch.objects.create(name="Mine"), Branch.objects.create(name="Other")
    power.assigned_branches.create(branch=mine)
    client.force_login(power)
    shown = client.get("/branches/").content.decode()

    assert "Mine" in shown
    assert "Other" not in shown
    assert client.get(f"/branches/{mine.pk}/edit/").status_code == 403
    assert client.post(f"/branches/{other.pk}/edit/", {"name": "X"}).status_code == 403
