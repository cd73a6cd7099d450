"""How often a password may be guessed, and who is never kept out by others' guesses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from accounts.devices import Device
from accounts.errors import TooManyFailures
from accounts.models import SignInFailure, User
from accounts.services import check_credentials, confirm_password, count_request, end_access
from accounts.services.throttle import address_key, target_key
from accounts.tasks import forget_failures
from accounts.tests.people import PASSWORD, person

pytestmark = pytest.mark.django_db
START = datetime(2026, 5, 4, 12, 0, tzinfo=timezone.get_default_timezone())


@pytest.fixture(autouse=True)
def _limits(settings: Settings) -> None:
    settings.SIGN_IN_FAILURE_LIMIT, settings.SIGN_IN_LOCK_MINUTES, settings.SIGN_IN_TARGET_LIMIT = 4, 15, 5
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *settings.PASSWORD_HASHERS]


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as clock:
        yield clock


@pytest.fixture
def jane() -> User:
    return person("Jane.Doe", email="Jane@Example.com", password=PASSWORD)


def check(
    username: str = "jane.doe", password: str = PASSWORD, caller: str = "10.0.0.1", device: Device | None = None
) -> User | None:
    return check_credentials(caller=caller, username=username, password=password, device=device)


def wait(act: Callable[..., object], *values: object) -> int:
    """The seconds that a refusal asks to wait; 0: not refused."""
    try:
        act(*values)
    except TooManyFailures as error:
        return error.retry_after
    return 0


def guess_until_refused(username: str = "jane.doe", caller: str = "10.0.0.1") -> int:
    """How many passwords of this caller were looked at, now."""
    for number in range(1000):
        if wait(check, username, "wrong", caller):
            return number
    raise AssertionError("never refused")


def strangers_guess(username: str = "jane.doe") -> int:
    """From ever new addresses, until none gets through."""
    for number in range(1000):
        if wait(check, username, "wrong", f"192.0.2.{number}"):
            return number
    raise AssertionError("never refused")


@pytest.mark.parametrize("username", ["jane.doe", "nobody"])
def test_delays_grow_for_one_caller_on_one_target(
    jane: User, clock: time_machine.Traveller, settings: Settings, username: str
) -> None:
    settings.SIGN_IN_TARGET_LIMIT = 1000
    asked = []
    for _ in range(3):
        check(username, "wrong")
        clock.shift(61)
    for _ in range(8):
        check(username, "wrong")
        asked.append(wait(check, username, "wrong"))
        clock.shift(asked[-1])
    assert asked == [16, 31, 61, 121, 241, 481, 901, 901]


def test_trying_on_does_not_prolong_the_wait(jane: User, clock: time_machine.Traveller) -> None:
    assert guess_until_refused() == 4
    for _ in range(15):
        assert wait(check)
        clock.shift(1)
    assert check() == jane


def test_a_target_takes_a_few_guesses_a_minute_from_all_strangers(jane: User, clock: time_machine.Traveller) -> None:
    looked = []
    for _ in range(15):
        looked.append(strangers_guess())
        clock.shift(60.1)
    assert looked[0] == 5
    assert sum(looked) <= 2 * 4 + 1  # twice the limit in the time of the lock
    assert wait(lambda: check("nobody", "wrong", "192.0.2.200")) == 0


def test_unknown_names_wait_like_known_ones(jane: User, clock: time_machine.Traveller) -> None:
    def answers(name: str) -> list[int]:
        return [wait(check, name, "wrong", f"10.0.{number % 3}.1") for number in range(12)]

    assert answers("jane.doe") == answers("nobody")
    assert answers("JANE@example.com") == answers("nobody@example.com")


def test_a_count_does_not_say_which_address_belongs_to_which_name(jane: User, clock: time_machine.Traveller) -> None:
    strangers_guess("jane.doe")
    assert wait(lambda: check("jane@example.com", "wrong")) == wait(lambda: check("other@example.com", "wrong")) == 0


def test_a_known_browser_comes_in_whatever_strangers_do(jane: User) -> None:
    strangers_guess()
    guess_until_refused(caller="10.0.0.1")
    assert wait(check)
    assert check(device=Device("d1", {jane.pk: jane.session_epoch})) == jane


def test_a_known_browser_has_a_count_of_its_own(jane: User, clock: time_machine.Traveller) -> None:
    known, second = (Device(key, {jane.pk: jane.session_epoch}) for key in ("d1", "d2"))
    refused = [bool(wait(lambda: check(password="wrong", device=known))) for _ in range(6)]
    assert refused == [False] * 4 + [True] * 2
    assert wait(lambda: check(device=known)) == 15 + 1
    assert check(device=second) == jane
    assert check() == jane  # from the same address, without the cookie
    clock.shift(16)
    assert check(device=known) == jane


@pytest.mark.parametrize("reason", ["another account", "ended access", "no device"])
def test_other_browsers_are_strangers(jane: User, reason: str) -> None:
    devices = {
        "another account": Device("d1", {jane.pk + 1: jane.session_epoch}),
        "ended access": Device("d1", {jane.pk: jane.session_epoch}),
        "no device": None,
    }
    if reason == "ended access":
        end_access([jane.pk])
    strangers_guess()
    assert wait(lambda: check(device=devices[reason]))


def test_strangers_do_not_keep_anybody_from_confirming(jane: User) -> None:
    strangers_guess()
    guess_until_refused()
    assert confirm_password(account=jane, session="s1", password=PASSWORD)


def test_confirming_is_bounded_for_each_session(jane: User, clock: time_machine.Traveller) -> None:
    tries = [wait(lambda: confirm_password(account=jane, session="s1", password="wrong")) for _ in range(5)]
    assert tries == [0, 0, 0, 0, 16]
    assert wait(lambda: confirm_password(account=jane, session="s1", password=PASSWORD))
    assert confirm_password(account=jane, session="s2", password=PASSWORD)
    assert check() == jane


def test_an_office_is_not_one_caller(jane: User, clock: time_machine.Traveller) -> None:
    for number in range(30):
        check(f"colleague{number}", "wrong")
    assert check() == jane


def test_spraying_from_one_address_is_slowed_down(jane: User, clock: time_machine.Traveller) -> None:
    looked = sum(not wait(check, f"target{number}", "wrong") for number in range(80))
    assert looked == 40
    assert wait(check) == 2
    for number in range(8):
        clock.shift(61)
        check(f"more{number}", "wrong")
    assert wait(check) == 61
    assert check(device=Device("d1", {jane.pk: jane.session_epoch})) == jane
    assert check(caller="10.0.0.2") == jane


def test_one_account_that_links_is_one_caller(jane: User, clock: time_machine.Traveller) -> None:
    waits = [wait(check, f"target{number}", "wrong", "account 7") for number in range(5)]
    assert waits == [0, 0, 0, 0, 16]


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("", "unknown"),
        ("no address\x00", "no address"),
    ],
)
def test_a_subscriber_is_one_address(address: str, key: str) -> None:
    assert address_key(address) == key


def test_success_forgets_the_failures_of_this_caller_on_this_target_alone(jane: User) -> None:
    check(password="wrong")
    check(password="wrong", caller="10.0.0.2")
    check("other", "wrong")
    assert check() == jane
    assert set(SignInFailure.objects.values_list("caller", "target")) == {
        ("address 10.0.0.2", target_key("jane.doe")),
        ("address 10.0.0.1", target_key("other")),
    }


def test_what_was_typed_is_not_kept(jane: User) -> None:
    for name in ("jane.doe", "jane@example.com", "my-password-by-mistake"):
        check(name, "wrong")
    rows = str(list(SignInFailure.objects.values()))
    assert not any(word in rows for word in ("jane", "mistake"))


def test_requests_are_counted_apart_and_known_browsers_for_themselves(jane: User) -> None:
    def ask(caller: str = "10.0.0.1", device: Device | None = None) -> int:
        return wait(lambda: count_request(caller=caller, target="jane@example.com", device=device))

    assert [bool(ask(f"192.0.2.{number}")) for number in range(6)] == [False] * 5 + [True]
    assert ask()
    assert not ask(device=Device("d1", {jane.pk: jane.session_epoch}))
    assert check() == jane


def test_old_failures_are_purged(jane: User, clock: time_machine.Traveller) -> None:
    check(password="wrong")
    clock.shift(timedelta(minutes=59))
    check(password="wrong")
    clock.shift(timedelta(minutes=2))
    assert forget_failures() == 1
    assert SignInFailure.objects.count() == 1


def test_every_spelling_that_finds_an_account_is_counted_as_one() -> None:
    """PostgreSQL finds the account, whose small letters are other ones than Python's for some."""
    person("ida", email="ida@example.com", password=PASSWORD)
    assert check("İda") is not None
    assert strangers_guess("ida") == 5
    assert strangers_guess("İda") == strangers_guess("İDA ") == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("callers", "most"), [(lambda number: "10.0.0.1", 4), (lambda number: f"10.0.0.{number}", 5)])
def test_guessing_at_once_wins_no_guess(callers: Callable[[int], str], most: int, settings: Settings) -> None:
    person("jane", password="correct horse")

    def guess(number: int) -> bool:
        try:
            check("jane", "wrong", callers(number))
        except TooManyFailures:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(50) as pool:
        looked = list(pool.map(guess, range(50)))
    assert sum(looked) == most == SignInFailure.objects.count()
