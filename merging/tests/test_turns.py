"""Heavy previews: one per person, few at once, and never for long."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from accounts.models import User
from merging import turns
from merging.models import Merge
from tests.factories import SuperadminFactory

pytestmark = pytest.mark.django_db(transaction=True)
PREVIEW = "/api/v1/merges/preview/"


@contextmanager
def locked(kind: int, *numbers: int) -> Iterator[None]:
    """Another connection has these locks."""
    other = connection.copy()
    with ExitStack() as stack:
        stack.callback(other.close)
        cursor = stack.enter_context(other.cursor())
        for number in numbers:
            cursor.execute("SELECT pg_advisory_lock(%s, %s)", [kind, number])
        yield


@pytest.fixture
def both(source: User, destination: User) -> dict[str, int]:
    return {"source": source.pk, "destination": destination.pk}


def test_a_person_previews_one_at_a_time(api: Any, problem: Any, superadmin: User, both: dict[str, int]) -> None:
    with locked(turns.PEOPLE, superadmin.pk):
        answer = api.post(PREVIEW, both, format="json")
    problem(answer, 503, "previews_are_busy")
    assert "of yours" in answer.json()["detail"]
    assert int(answer.headers["Retry-After"]) >= 1
    assert api.post(PREVIEW, both, format="json").status_code == 200


def test_no_more_than_the_places_are_previewed(api: Any, problem: Any, settings: Any, both: dict[str, int]) -> None:
    places = range(settings.PREVIEW_PLACES)
    with locked(turns.PLACES, *places):
        problem(api.post(PREVIEW, both, format="json"), 503, "previews_are_busy")
    with locked(turns.PLACES, *places[1:]):
        assert api.post(PREVIEW, both, format="json").status_code == 200


@pytest.mark.parametrize("step", [2, 3, 4])
def test_the_page_says_so_with_503(client: Client, both: dict[str, int], step: int) -> None:
    boss = SuperadminFactory.create()
    client.force_login(boss)
    address = f"/merges/new/?source={both['source']}&destination={both['destination']}&step={step}"
    with locked(turns.PEOPLE, boss.pk):
        answer = client.get(address, follow=True)
        other_page = client.get("/users/")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert "Another preview of yours is still running. Try again in a moment." in answer.content.decode()
    assert other_page.status_code == 200
    assert client.get(address, follow=True).status_code == 200


def test_the_look_at_an_undo_waits_for_its_turn_too(api: Any, client: Client, both: dict[str, int]) -> None:
    boss = SuperadminFactory.create()
    client.force_login(boss)
    api.post("/api/v1/merges/", both, format="json")
    address = f"/merges/{Merge.objects.get().pk}/undo/"
    with locked(turns.PEOPLE, boss.pk):
        assert client.get(address).status_code == 503
    assert client.get(address).status_code == 200


def test_its_statements_end_in_time(settings: Any) -> None:
    settings.PREVIEW_SECONDS = 1
    with pytest.raises(OperationalError, match="statement timeout"), turns.in_turn(1), connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(30)")


def test_it_leaves_nothing_locked_or_set() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout'), current_setting('statement_timeout')")
        before = cursor.fetchone()
        with turns.in_turn(1):
            cursor.execute("SELECT current_setting('lock_timeout')")
            assert cursor.fetchone() == before[:1]
        cursor.execute("SELECT current_setting('lock_timeout'), current_setting('statement_timeout')")
        assert cursor.fetchone() == before
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = ANY(%s)",
            [[turns.PEOPLE, turns.PLACES]],
        )
        assert cursor.fetchone() == (0,)
