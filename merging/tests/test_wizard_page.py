"""`/merges/new/`: the wizard without a browser."""

import pytest
from django.test import Client

from accounts.models import User
from tests.factories import (
    CourseFactory,
    EnrollmentFactory,
    SuperadminFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
HERE = "/merges/new/"


@pytest.fixture
def boss(client: Client) -> User:
    """A superadmin, signed in just now."""
    boss = SuperadminFactory.create(username="boss")
    sign_in(client, boss)
    return boss


def sign_in(client: Client, user: User) -> None:
    client.force_login(user)


@pytest.fixture
def source() -> User:
    return UserFactory.create(username="jane.old", first_name="Jane", last_name="Doe", phone="0123", job_title="Clerk")


@pytest.fixture
def destination() -> User:
    return UserFactory.create(username="jane.new", first_name="Jane", last_name="Smith", phone="0456")


def at(source: User, destination: User | None = None, **more: object) -> str:
    query = {"source": source.pk, "destination": destination.pk if destination else "", "policy": "best_record"} | more
    return HERE + "?" + "&".join(f"{key}={value}" for key, value in query.items() if value != "")


def page(client: Client, address: str, status: int = 200) -> str:
    response = client.get(address, follow=True)
    assert response.status_code == status, response.content.decode()
    return response.content.decode()


def test_it_names_both_roles(client: Client, boss: User, source: User, destination: User) -> None:
    html = page(client, at(source, destination))
    assert "Source · will be merged away" in html
    assert "Destination · will be kept" in html


@pytest.mark.parametrize("step", [1, 2, 3, 4])
def test_it_shows_every_step(client: Client, boss: User, source: User, destination: User, step: int) -> None:
    EnrollmentFactory.create(user=source, course=CourseFactory.create(title="Safety 101"))
    html = page(client, at(source, destination, step=step))
    assert 'aria-current="step"' in html
