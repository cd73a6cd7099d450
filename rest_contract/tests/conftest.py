"""Callers of REST, each with a token."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from accounts.services import create_token
from tests.factories import PowerUserFactory, SuperadminFactory, UserFactory

Caller = Callable[..., APIClient]


@pytest.fixture
def caller() -> Caller:
    """A client that sends a token of this account."""

    def make(owner: User, scopes: Sequence[str] | None = None) -> APIClient:
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
def power_user(db: None) -> User:
    return PowerUserFactory.create(username="power")
