"""Host names and cookies, as the environment decides."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from launcher import where
from lms.hosts import allowed_hosts

SHOWN = ("ALLOWED_HOSTS", "SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE",
         "SESSION_COOKIE_PATH", "CSRF_COOKIE_PATH", "SESSION_COOKIE_DOMAIN", "CSRF_COOKIE_DOMAIN",
         "SESSION_COOKIE_HTTPONLY")  # fmt: skip
PROGRAM = f"import json; from django.conf import settings as s; print(json.dumps([getattr(s, n) for n in {SHOWN}]))"


def settings_with(**environment: str) -> dict[str, Any]:
    cleared = {key: value for key, value in os.environ.items() if key not in ("ALLOWED_HOSTS", "PORTAL_URL", "HTTPS")}
    env = cleared | {"DJANGO_SETTINGS_MODULE": "lms.settings", "SECRET_KEY": "x" * 50} | environment
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=where.ROOT, env=env, capture_output=True, text=True, check=True
    )
    return dict(zip(SHOWN, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize(
    ("given", "portal", "expected"),
    [
        ([], "http://localhost:8000", ["localhost", "127.0.0.1", "[::1]"]),
        ([], "https://portal.example.org/x", ["localhost", "127.0.0.1", "[::1]", "portal.example.org"]),
        ([], "http://[2001:db8::1]:8000", ["localhost", "127.0.0.1", "[::1]", "[2001:db8::1]"]),
        ([], "nonsense", ["localhost", "127.0.0.1", "[::1]"]),
        (["a.example", "b.example"], "https://c.example", ["a.example", "b.example"]),
        (["*"], "", ["*"]),
    ],
)
def test_it_answers_to_its_own_names(given: list[str], portal: str, expected: list[str]) -> None:
    assert allowed_hosts(given, portal) == expected


def test_cookies_are_bound_to_the_host_under_https() -> None:
    found = settings_with(HTTPS="1", PORTAL_URL="https://portal.example.org")
    assert found["SESSION_COOKIE_NAME"] == "__Host-sessionid"
    assert found["CSRF_COOKIE_NAME"] == "__Host-csrftoken"
    assert "portal.example.org" in found["ALLOWED_HOSTS"]
    for kind in ("SESSION", "CSRF"):
        of_kind = [found[f"{kind}_COOKIE_{what}"] for what in ("SECURE", "PATH", "DOMAIN")]
        assert of_kind == [True, "/", None]  # without these, browsers refuse the prefix
    assert found["SESSION_COOKIE_HTTPONLY"]


def test_a_trial_without_https_still_works() -> None:
    found = settings_with(HTTPS="0")
    assert (found["SESSION_COOKIE_NAME"], found["CSRF_COOKIE_NAME"]) == ("sessionid", "csrftoken")
    assert "*" not in found["ALLOWED_HOSTS"]
