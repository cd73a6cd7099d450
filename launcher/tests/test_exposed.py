"""`make run` for other machines: never with the public password of the demo data."""

import sys
from pathlib import Path

import pytest

from launcher import exposed
from launcher.address import Address
from launcher.tests.conftest import Starter

BOSS = """
from accounts.models import User
User.objects.create_superuser("boss", "boss@example.org", "learn-2-merge")
"""


@pytest.mark.parametrize(
    ("host", "public"),
    [
        ("127.0.0.1", False),
        ("127.8.8.8", False),
        ("::1", False),
        ("localhost", False),
        ("0.0.0.0", True),
        ("::", True),
        ("192.0.2.7", True),
        ("portal.example.org", True),
    ],
)
def test_it_knows_which_addresses_others_reach(host: str, public: bool) -> None:
    assert Address(host, 8000).is_public is public


def test_it_loads_no_demo_data_for_others(start: Starter, data: Path, free_port: int) -> None:
    portal = start("-m", "launcher", "run", PORT=str(free_port), BIND="0.0.0.0")
    _, complaint = portal.communicate(timeout=120)
    assert portal.returncode == 1
    assert "DEMO=0" in complaint
    assert "Traceback" not in complaint


def test_it_lets_nobody_in_by_the_public_password(start: Starter, data: Path, free_port: int) -> None:
    made = start("-m", "launcher", "exec", sys.executable, "manage.py", "shell", "-v", "0", "-c", BOSS)
    assert made.wait(120) == 0
    portal = start("-m", "launcher", "run", PORT=str(free_port), BIND="0.0.0.0", DEMO="0")
    _, complaint = portal.communicate(timeout=120)
    assert portal.returncode == 1
    assert "opens boss" in complaint
    assert "changepassword" in complaint


def test_it_says_by_which_name_it_can_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ALLOWED_HOSTS", "PORTAL_URL"):
        monkeypatch.delenv(name, raising=False)
    assert "PORTAL_URL or ALLOWED_HOSTS" in exposed.advice_on_hosts("http://localhost:8000/")[0]
    monkeypatch.setenv("ALLOWED_HOSTS", "portal.example.org")
    assert exposed.advice_on_hosts("http://localhost:8000/") == []
