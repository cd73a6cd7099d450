"""Whatever the database does, pages and REST answer 503 with Retry-After, and the next request works."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.request import Request, urlopen

import psycopg2
import pytest
from django.contrib.sessions.backends.base import UpdateError
from django.db import OperationalError, connection
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import Session, User
from accounts.tests.people import PASSWORD
from learning_records.models import Course
from rest_contract.outages import is_outage
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)
GONE = "SELECT pg_terminate_backend(pg_backend_pid())"
CODES = {
    "full disk": "53100",
    "out of memory": "53200",
    "too many connections": "53300",
    "read-only": "25006",
    "administrator shutdown": "57P01",
    "crash recovery": "57P03",
    "statement timeout": "57014",
    "lock timeout": "55P03",
    "deadlock": "40P01",
    "disk failure": "58030",
    "internal error": "XX000",
}
FAULTS = {"connection lost": GONE} | {
    name: f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{code}'; END $$" for name, code in CODES.items()
}
Ask = Callable[[], Any]


class Saboteur:
    """Counts statements, and has the database fail in place of the n-th and every later one."""

    def __init__(self, at: int, fault: str) -> None:
        self.at, self.fault, self.sent = at, fault, 0

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        self.sent += 1
        if self.sent < self.at:
            return execute(sql, params, many, context)
        return execute(self.fault, (), False, context)


@contextmanager
def failing(at: int, fault: str) -> Iterator[Saboteur]:
    saboteur = Saboteur(at, fault)
    try:
        with connection.execute_wrapper(saboteur):
            yield saboteur
    finally:
        connection.close()


@contextmanager
def no_database() -> Iterator[None]:
    """Nothing listens where the database was."""
    before = connection.settings_dict["HOST"]
    connection.close()
    connection.settings_dict["HOST"] = "/nowhere"
    try:
        yield
    finally:
        connection.settings_dict["HOST"] = before
        connection.close()


@pytest.fixture
def person(superadmin: User) -> Client:
    """A superadmin's browser."""
    client = Client(raise_request_exception=False)
    client.force_login(superadmin)
    return client


@pytest.fixture
def other(db: None) -> User:
    return UserFactory.create(username="other", password=PASSWORD)


def asked(person: Client, api: APIClient, learner: User, other: User) -> dict[str, Ask]:
    """Pages, the admin site and REST, reading and writing."""
    both = {"source": learner.pk, "destination": other.pk}
    edit = {"username": "jane", "email": "new@example.org", "first_name": "Janet"}
    return {
        "home": lambda: person.get("/"),
        "page": lambda: person.get(f"/users/{learner.pk}/"),
        "unknown page": lambda: person.get("/nothing/here/"),
        "form": lambda: person.post(f"/users/{learner.pk}/edit/", edit),
        "session": lambda: person.post("/preferences/appearance/", {"theme": "dark"}),
        "sign-in": lambda: Client(raise_request_exception=False).post(
            "/sign-in/", {"username": "jane", "password": "wrong"}
        ),
        "review": lambda: person.get("/merges/new/", both | {"step": 4}),
        "admin site": lambda: person.get("/admin/merging/merge/"),
        "admin form": lambda: person.post("/admin/merging/merge/add/", both | {"policy": "best_record"}),
        "REST list": lambda: api.get("/api/v1/users/"),
        "REST write": lambda: api.post("/api/v1/courses/", {"title": "a"}, format="json"),
        "REST keyed": lambda: api.post(
            "/api/v1/courses/", {"title": "a"}, format="json", headers={"Idempotency-Key": "k"}
        ),
        "REST merge": lambda: api.post("/api/v1/merges/", both, format="json"),
    }


NAMES = [
    "home",
    "page",
    "unknown page",
    "form",
    "session",
    "sign-in",
    "review",
    "admin site",
    "admin form",
    "REST list",
    "REST write",
    "REST keyed",
    "REST merge",
]


@pytest.fixture(params=NAMES)
def door(request: Any, person: Client, api: APIClient, learner: User, other: User) -> tuple[str, Ask]:
    return request.param, asked(person, api, learner, other)[request.param]


def assert_unavailable(response: Any, name: str) -> None:
    assert response.status_code == 503, (name, response.status_code, response.content[:300])
    assert int(response.headers["Retry-After"]) >= 1
    if name.startswith("REST"):
        assert response.headers["Content-Type"] == "application/problem+json"
        assert response.json()["status"] == 503


def test_it_answers_503_at_whatever_statement_the_connection_dies(door: tuple[str, Ask]) -> None:
    name, ask = door
    at, done = 0, False
    while not done:
        at += 1
        with failing(at, GONE) as saboteur:
            response = ask()
        done = saboteur.sent < at
        if not done and response.status_code not in (200, 302, 404, 201):
            assert_unavailable(response, name)
        assert response.status_code != 500
    assert at > 1


@pytest.mark.parametrize("fault", FAULTS)
def test_it_answers_503_for_every_way_of_failing(
    fault: str, person: Client, api: APIClient, learner: User, other: User
) -> None:
    for name, ask in asked(person, api, learner, other).items():
        for at in (1, 3):
            with failing(at, FAULTS[fault]) as saboteur:
                response = ask()
            if saboteur.sent >= at and not (fault == "lock timeout" and response.status_code == 409):
                assert_unavailable(response, name)


def test_it_answers_503_while_there_is_no_database_and_works_again_after(
    person: Client, api: APIClient, learner: User, other: User
) -> None:
    doors = asked(person, api, learner, other)
    with no_database():
        for name, ask in doors.items():
            if name not in ("session",):
                assert_unavailable(ask(), name)
    assert [name for name, ask in doors.items() if ask().status_code >= 400] == ["unknown page"]
    assert Course.objects.count() == 2


def test_the_page_keeps_what_was_typed_and_says_that_nothing_was_saved(person: Client, learner: User) -> None:
    typed = {"first_name": "<Jane>", "email": "new@example.org"}
    with no_database():
        page = person.post(f"/users/{learner.pk}/edit/?a=1", typed).content.decode()
    assert "Nothing was saved. Try again in a moment." in page
    assert 'name="first_name" value="&lt;Jane&gt;"' in page
    assert f'action="/users/{learner.pk}/edit/?a=1"' in page


def test_the_page_keeps_no_password_and_nothing_of_a_forged_form(learner: User) -> None:
    strict = Client(enforce_csrf_checks=True, raise_request_exception=False)
    with no_database():
        signing_in = Client(raise_request_exception=False).post("/sign-in/", {"username": "jane", "password": PASSWORD})
        strict.cookies["sessionid"] = "x" * 32
        forged = strict.post("/preferences/appearance/", {"theme": "evil"})
    assert PASSWORD not in signing_in.content.decode()
    assert "evil" not in forged.content.decode()


def test_a_refusal_of_a_trigger_is_no_outage() -> None:
    with connection.cursor() as cursor, pytest.raises(Exception) as caught:  # noqa: PT011  (any; what it is matters)
        cursor.execute("DO $$ BEGIN RAISE EXCEPTION 'never'; END $$")
    assert not is_outage(caught.value)
    with connection.cursor() as cursor, pytest.raises(Exception) as caught:  # noqa: PT011
        cursor.execute("SELECT * FROM nowhere")
    assert not is_outage(caught.value)


def test_psycopg2s_own_errors_count_too() -> None:
    with connection.cursor() as cursor, pytest.raises(psycopg2.Error) as caught:
        cursor.cursor.execute(FAULTS["read-only"])
    assert is_outage(caught.value)


def test_a_browser_goes_on_when_its_connections_were_cut(live_server: Any, superadmin: User, person: Client) -> None:
    """Real connections of a real server: those that died are replaced without anybody noticing twice."""

    headers = {"Cookie": f"sessionid={person.cookies['sessionid'].value}"}
    statuses = []
    for _ in range(4):
        with urlopen(Request(f"{live_server.url}/users/", headers=headers), timeout=30) as answer:
            statuses.append(answer.status)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
    assert statuses == [200] * 4


def test_a_session_that_cant_be_saved_is_an_outage_and_one_that_is_gone_is_not(person: Client) -> None:
    """Django takes both for a session that is gone, and answers 400."""
    session = person.session
    session["a"] = 1
    with failing(1, FAULTS["full disk"]), pytest.raises(OperationalError):
        session.save()
    Session.objects.all().delete()
    with pytest.raises(UpdateError):
        session.save()
