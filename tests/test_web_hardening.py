"""What every page and address does against misuse of the browser, and of words that everybody knows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from accounts.models import Session, User
from accounts.password_rules import ForbiddenWordsValidator
from lms.secret import kept_secret

ROOT = Path(__file__).resolve().parent.parent


def test_no_template_switches_escaping_off() -> None:
    for path in [*ROOT.glob("templates/**/*.html"), *ROOT.glob("*/templates/**/*.html")]:
        assert not re.search(r"\|\s*safe\b|autoescape off", path.read_text()), path


def test_no_template_holds_a_script() -> None:
    for path in ROOT.glob("templates/**/*.html"):
        for script in re.findall(r"<script\b[^>]*>", path.read_text()):
            assert "src=" in script or "application/json" in script, path


def test_no_script_writes_html() -> None:
    """But for what the portal's own server escaped: the list of a picker, fetched from the same origin."""
    writers = {
        path.name
        for path in ROOT.glob("static/js/*.js")
        if re.search(r"HTML\s*=|insertAdjacentHTML|document\.write", path.read_text())
    }
    assert writers == {"picker.js"}


@pytest.mark.django_db
def test_it_sends_no_cors_header(client: Client) -> None:
    response = client.get("/api/v1/schema/", headers={"Origin": "https://elsewhere.example"})
    assert not [name for name in response.headers if name.lower().startswith("access-control")]


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["TRACE", "TRACK"])
def test_trace_is_refused(client: Client, method: str) -> None:
    assert client.generic(method, "/").status_code == 405
    assert client.generic(method, "/api/v1/users/").status_code == 405


@pytest.mark.django_db
def test_rest_refuses_plain_http_where_https_is_required(api: Any, problem: Any, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    problem(api.get("/api/v1/users/"), 403, "https_required")
    assert api.get("/api/v1/users/", secure=True).status_code == 200


@pytest.mark.django_db
def test_signing_out_clears_the_browser(client: Client, learner: User) -> None:
    client.force_login(learner)
    response = client.post(reverse("accounts:sign_out"))
    assert response["Clear-Site-Data"] == '"cache", "storage"'


@pytest.mark.parametrize("password", ["Portal-1", "learninglearning1", "LMS-portal"])
def test_a_password_of_words_that_everybody_knows_is_refused(password: str) -> None:
    with pytest.raises(ValidationError, match="easy to guess"):
        ForbiddenWordsValidator(["portal", "learning", "lms"]).validate(password)


@pytest.mark.parametrize("password", ["a portal of green doors", "xylophone", "abc"])
def test_other_passwords_may_hold_such_a_word(password: str) -> None:
    ForbiddenWordsValidator(["portal", "learning", "lms"]).validate(password)


@pytest.mark.django_db
def test_a_password_is_checked_exactly_as_it_was_typed(client: Client, learner: User) -> None:
    password = "  Ünïcode spaces and " + "x" * 100 + "  "
    learner.set_password(password)
    learner.save()
    sign_in = reverse("accounts:sign_in")
    for wrong in (password.strip(), password.lower(), password[:72]):
        assert client.post(sign_in, {"username": "jane", "password": wrong}).status_code == 200
    assert client.post(sign_in, {"username": "jane", "password": password}).status_code == 302


@pytest.mark.django_db
def test_signing_out_ends_the_session_on_the_server(client: Client, learner: User) -> None:
    client.force_login(learner)
    kept = client.cookies[settings.SESSION_COOKIE_NAME].value
    client.post(reverse("accounts:sign_out"))
    client.cookies[settings.SESSION_COOKIE_NAME] = kept
    assert client.get(reverse("accounts:preferences")).status_code == 302
    assert not Session.objects.filter(account=learner).exists()


@pytest.mark.django_db
def test_the_cookie_of_a_session_is_closed_to_scripts_and_to_other_sites(client: Client, learner: User) -> None:
    learner.set_password("correct horse battery")
    learner.save()
    client.post(reverse("accounts:sign_in"), {"username": "jane", "password": "correct horse battery"})
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["domain"]) == (True, "Lax", "/", "")


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/.git/config", "/static/", "/static/../manage.py", "/.env", "/static/js/"])
def test_nothing_but_static_files_is_served_from_the_disk(client: Client, address: str) -> None:
    assert client.get(address).status_code == 404


def test_the_kept_secret_is_its_owners_alone(tmp_path: Path) -> None:
    kept_secret(tmp_path)
    assert (tmp_path / "secret-key").stat().st_mode & 0o077 == 0
