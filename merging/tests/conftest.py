"""The cast of the page tests: a superadmin who has just signed in, and Jane Doe twice."""

import pytest
from django.test import Client

from accounts.models import User
from tests.factories import SuperadminFactory, UserFactory


@pytest.fixture
def boss(client: Client) -> User:
    boss = SuperadminFactory.create(username="boss", first_name="Bea", last_name="Boss")
    client.force_login(boss)
    return boss


@pytest.fixture
def source() -> User:
    return UserFactory.create(
        username="jane.old", email="old@example.com", first_name="Jane", last_name="Doe", phone="0123"
    )


@pytest.fixture
def destination() -> User:
    return UserFactory.create(
        username="jane.new", email="new@example.com", first_name="Jane", last_name="Smith", phone="0456"
    )
