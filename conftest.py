"""Callers of REST, each with a token of their own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from rest_framework.test import APIClient

from accounts.models import AssignedUser, User
from accounts.services import create_token
from hints import sending
from tests.brokers import Broker
from tests.factories import PowerUserFactory, SuperadminFactory, UserFactory

# How long examples take to be drawn says something of the machine, nothing of the portal.
hypothesis_settings.register_profile("any_machine", suppress_health_check=[HealthCheck.too_slow], deadline=None)
hypothesis_settings.load_profile("any_machine")

Caller = Callable[..., APIClient]


@pytest.fixture(autouse=True)
def no_rate_limits(settings: Any) -> None:
    """Tests call more often than callers may; those of the limits set their own."""
    settings.RATE_LIMIT_TOKEN = settings.RATE_LIMIT_ANONYMOUS = 0


@pytest.fixture
def caller(db: None) -> Caller:
    """A client that sends a token of this account."""

    def make(owner: User, scopes: list[str] | None = None) -> APIClient:
        key, _ = create_token(owner=owner, scopes=scopes)
        client = APIClient(raise_request_exception=False)
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
        return client

    return make


@pytest.fixture
def superadmin(db: None) -> User:
    return SuperadminFactory.create(username="super")


@pytest.fixture
def api(caller: Caller, superadmin: User) -> APIClient:
    """A superadmin's client with every scope."""
    return caller(superadmin)


@pytest.fixture
def learner(db: None) -> User:
    return UserFactory.create(username="jane", first_name="Jane", last_name="Doe")


@pytest.fixture
def stranger(db: None) -> User:
    """A learner that is assigned to nobody."""
    return UserFactory.create(username="stranger")


@pytest.fixture
def power_user(learner: User) -> User:
    """Holds Users/View and Users/Edit over the learner."""
    actor: User = PowerUserFactory.create(username="power")
    AssignedUser.objects.create(power_user=actor, user=learner)
    return actor


@pytest.fixture
def problem() -> Callable[..., dict[str, Any]]:
    """Asserts that an answer is a well-formed problem, and returns it."""

    def check(response: Any, status: int, code: str = "") -> dict[str, Any]:
        assert response.status_code == status, response.content
        assert response.headers["Content-Type"] == "application/problem+json"
        body: dict[str, Any] = response.json()
        assert {"type", "title", "status", "detail", "code", "errors"} <= body.keys()
        assert body["status"] == status
        assert all(error.keys() == {"field", "code", "detail"} for error in body["errors"])
        if code:
            assert body["code"] == code
        return body

    return check


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    """Where this test's hints go, and nobody else's."""
    folder = Path(tempfile.mkdtemp(prefix="lms-broker-"))
    broker = Broker(folder)
    monkeypatch.setenv("CELERY_BROKER_WRITE_URL", f"redis+socket://{broker.socket}?virtual_host=0")
    monkeypatch.setattr(sending, "breaker", sending.Breaker())
    yield broker
    broker.end()
    shutil.rmtree(folder)
