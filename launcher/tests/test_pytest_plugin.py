"""The servers of the tests themselves."""

import os
from pathlib import Path

import pytest
import redis
from django.conf import settings

from launcher import pytest_plugin, where
from launcher.errors import CannotStart


def test_these_tests_run_on_servers_of_their_own() -> None:
    """Unless the environment gave some."""
    assert settings.DATA_DIR.is_relative_to(where.ROOT / ".test-data")
    assert settings.DATA_DIR != where.ROOT / ".data"


def test_two_runs_at_once_do_not_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", "to be set")
    with pytest_plugin.test_servers() as mine, pytest_plugin.test_servers() as theirs:
        assert mine != theirs
        first, second = (redis.Redis.from_url(where.redis_url(data, 0)) for data in (mine, theirs))
        first.set("whose", "mine")
        assert second.get("whose") is None
        assert os.environ["DATA_DIR"] == str(theirs)
        first.close()
        second.close()


def test_it_refuses_when_too_many_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pytest_plugin, "SLOTS", 0)

    with pytest.raises(CannotStart, match="0 test runs are already going on"), pytest_plugin.test_servers():
        raise AssertionError


def test_a_slot_outside_the_checkout_is_removed(empty: Path) -> None:
    outside = empty / "outside"
    (outside / "postgresql").mkdir(parents=True)
    inside = empty / "1"
    inside.mkdir()
    (inside / "servers").symlink_to(outside)

    pytest_plugin._remove_what_lies_outside(inside)

    assert not outside.exists()
    assert not (inside / "servers").is_symlink()
