"""Sessions end by themselves, and where their owner says so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import UpdateError
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Session, User
from accounts.services import sessions_of
from accounts.sessions import SessionStore
from accounts.tasks import forget_sessions
from accounts.tests.people import PASSWORD, person, superadmin
from audit.models import AuditEntry

pytestmark = pytest.mark.django_db
PAGE = "/preferences/sessions/"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/15E148 Safari/604.1"


@pytest.fixture
def jane() -> User:
    return person("jane", password=PASSWORD)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        yield clock


def signed_in(browser: str = FIREFOX, address: str = "192.0.2.7") -> Client:
    client = Client(HTTP_USER_AGENT=browser, REMOTE_ADDR=address)
    assert client.post("/sign-in/", {"username": "jane", "password": PASSWORD}).status_code == 302
    return client


def is_in(client: Client) -> bool:
    return client.get("/preferences/").status_code == 200


class TestLimits:
    def test_a_pause_ends_it(self, jane: User, clock: Any, settings: Settings) -> None:
        settings.SESSION_IDLE_MINUTES, settings.SESSION_ABSOLUTE_HOURS = 30, 12
        client = signed_in()
        for _ in range(4):
            clock.shift(timedelta(minutes=29))
            assert is_in(client)
        clock.shift(timedelta(minutes=31))
        assert not is_in(client)

    def test_a_days_work_ends_it_in_any_case(self, jane: User, clock: Any, settings: Settings) -> None:
        settings.SESSION_IDLE_MINUTES, settings.SESSION_ABSOLUTE_HOURS = 120, 8
        client = signed_in()
        for _ in range(8):
            clock.shift(timedelta(minutes=59))
            assert is_in(client)
        clock.shift(timedelta(minutes=9))
        assert not is_in(client)

    def test_giving_the_password_again_makes_no_session_longer(
        self, jane: User, clock: Any, settings: Settings
    ) -> None:
        settings.SESSION_IDLE_MINUTES, settings.SESSION_ABSOLUTE_HOURS = 600, 8
        client = signed_in()
        started = Session.objects.get(account=jane).started_at
        clock.shift(timedelta(hours=7))
        assert client.post("/confirm-password/", {"password": PASSWORD}).status_code == 302
        row = Session.objects.get(account=jane)
        assert (row.started_at, row.browser, row.address) == (started, FIREFOX, "192.0.2.7")
        clock.shift(timedelta(hours=1, seconds=1))
        assert not is_in(client)

    def test_a_new_sign_in_does(self, jane: User, clock: Any, settings: Settings) -> None:
        settings.SESSION_ABSOLUTE_HOURS = 8
        client = signed_in()
        clock.shift(timedelta(hours=9))
        client.post("/sign-in/", {"username": "jane", "password": PASSWORD})
        assert is_in(client)

    def test_rest_by_session_ends_too(self, jane: User, clock: Any, settings: Settings) -> None:
        settings.SESSION_IDLE_MINUTES = 30
        client = signed_in()
        clock.shift(timedelta(minutes=31))
        assert client.get("/api/v1/users/").status_code in (401, 403)

    def test_activity_is_written_once_a_minute(self, jane: User, clock: Any) -> None:
        client = signed_in()
        writes = []
        for seconds in (1, 58, 2, 30):
            clock.shift(timedelta(seconds=seconds))
            with CaptureQueriesContext(connection) as queries:
                assert is_in(client)
            writes.append(sum("UPDATE" in query["sql"] for query in queries))
        assert writes == [0, 0, 1, 0]

    def test_reading_goes_on_where_nothing_can_be_written(self, jane: User, clock: Any) -> None:
        client = signed_in()
        clock.shift(timedelta(minutes=5))

        def full_disk(execute: Any, sql: str, *rest: Any) -> Any:
            if sql.startswith("UPDATE"):
                raise OperationalError("could not extend file: No space left on device")
            return execute(sql, *rest)

        with connection.execute_wrapper(full_disk):
            assert is_in(client)


class TestSweep:
    def test_those_whose_time_is_over_are_deleted(self, jane: User, clock: Any, settings: Settings) -> None:
        settings.SESSION_IDLE_MINUTES, settings.SESSION_ABSOLUTE_HOURS = 60, 2
        idle, active = signed_in(), signed_in()
        SessionStore().save()  # nobody's yet: Django's own limit holds for it
        assert Session.objects.count() == 3
        clock.shift(timedelta(minutes=50))
        assert is_in(active)
        clock.shift(timedelta(minutes=11))
        assert forget_sessions() == 1
        assert (is_in(active), is_in(idle)) == (True, False)
        clock.shift(timedelta(hours=1))
        assert forget_sessions() == 1
        clock.shift(timedelta(hours=12))
        assert forget_sessions() == 1
        assert not Session.objects.filter(account=jane).exists()


class TestPage:
    def test_it_lists_browsers_in_words_and_marks_this_one(self, jane: User) -> None:
        here, phone = signed_in(), signed_in(PHONE, "2001:db8::7")
        page = here.get(PAGE).content.decode()
        for words in ("Firefox on Windows", "Safari on iPhone", "192.0.2.7", "2001:db8::7"):
            assert words in page
        assert page.count("This session") == 1
        assert page.index("This session") < page.index("iPhone")
        for client in (here, phone):
            assert str(client.session.session_key) not in page

    def test_it_shows_nobody_elses(self, jane: User, client: Client) -> None:
        signed_in()
        client.force_login(superadmin())
        assert "Firefox" not in client.get(PAGE).content.decode()

    def test_one_is_ended(self, jane: User) -> None:
        here, phone = signed_in(), signed_in(PHONE)
        (other,) = [one for one in sessions_of(jane) if one.session_key == phone.session.session_key]
        assert here.post(f"{PAGE}{other.handle}/end/")["Location"] == PAGE
        assert (is_in(here), is_in(phone)) == (True, False)
        assert AuditEntry.objects.get(action="session.ended").detail["sessions"] == 1

    def test_all_others_are_ended(self, jane: User) -> None:
        here, *others = [signed_in() for _ in range(3)]
        assert "End all others" in here.get(PAGE).content.decode()
        here.post(f"{PAGE}end-others/")
        assert [is_in(one) for one in (here, *others)] == [True, False, False]
        assert "End all others" not in here.get(PAGE).content.decode()

    def test_nobody_ends_those_of_others(self, jane: User, client: Client) -> None:
        phone = signed_in(PHONE)
        client.force_login(superadmin())
        assert client.post(f"{PAGE}{sessions_of(jane)[0].handle}/end/").status_code == 404
        client.post(f"{PAGE}end-others/")
        assert is_in(phone)

    def test_ending_takes_the_password_again(self, jane: User, settings: Settings) -> None:
        here, phone = signed_in(), signed_in(PHONE)
        handles = [one.handle for one in sessions_of(jane)]
        settings.RECENT_SIGN_IN_MINUTES = -1
        for address in (*(f"{PAGE}{handle}/end/" for handle in handles), f"{PAGE}end-others/"):
            asked = here.post(address)
            assert asked["Location"].startswith("/confirm-password/")
            assert here.get(address)["Location"] == PAGE
        assert is_in(phone)


@pytest.mark.parametrize(
    ("description", "words"),
    [
        (FIREFOX, "Firefox on Windows"),
        (PHONE, "Safari on iPhone"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Chrome/141.0 Safari/537.36 Edg/141.0", "Edge on Mac"),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/141.0.0.0 Safari/537.36", "Chrome on Linux"),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/141.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) Chrome/141.0 Safari/537.36", "Chrome on ChromeOS"),
        ("curl/8.5.0", "curl"),
        ("", "Unknown browser"),
        ("Mozilla/5.0 (compatible; something)", "Unknown browser"),
        ("\x1b[31m", "Unknown browser"),
    ],
)
def test_a_browser_has_a_name(description: str, words: str) -> None:
    assert Session(browser=description).browser_in_words == words


def test_a_session_in_use_while_it_is_ended_stays_ended(jane: User) -> None:
    client = signed_in()
    store = client.session
    assert store[SESSION_KEY]  # a request has read it
    Session.objects.filter(account=jane).delete()
    store["x"] = 1
    with pytest.raises(UpdateError):
        store.save()
    assert not Session.objects.filter(account=jane).exists()
