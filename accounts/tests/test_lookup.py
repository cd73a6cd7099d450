"""Finding the account that an outside system means."""

from __future__ import annotations

import pytest

from accounts.errors import AmbiguousIdentifier
from accounts.models import Right
from accounts.services import delete_account, find_by_identifier
from accounts.tests.people import merged, person, power_user, superadmin

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("value", ["jane", "JANE", " jane ", "Jane@example.com", "E-1", "X-1"])
def test_it_finds_by_every_present_identifier(value: str) -> None:
    account = person("jane", employee_number="E-1", external_id="X-1")
    assert find_by_identifier(superadmin(), value) == account


@pytest.mark.parametrize("value", ["", "  ", "nobody", "a\x00b"])
def test_it_finds_nobody_by_nothing(value: str) -> None:
    person("jane")
    assert find_by_identifier(superadmin(), value) is None


@pytest.mark.covers("P.9")
@pytest.mark.parametrize("policy", ["best_record", "keep_primary"])
@pytest.mark.parametrize("value", ["old", "OLD@example.com", "E-1", "X-1"])
def test_every_old_identifier_finds_the_survivor(policy: str, value: str) -> None:
    source, survivor = person("old", employee_number="E-1", external_id="X-1"), person("new")
    merged(source, survivor, policy=policy)
    assert find_by_identifier(superadmin("second"), value) == survivor


@pytest.mark.covers("P.9")
def test_chains_lead_to_their_end() -> None:
    first, second, third = person("first"), person("second"), person("third")
    merged(first, second)
    merged(second, third)
    root = superadmin("other")
    assert {find_by_identifier(root, name) for name in ("first", "second", "third")} == {third}
    delete_account(actor=root, account_id=first.pk)
    delete_account(actor=root, account_id=second.pk)
    assert {find_by_identifier(root, name) for name in ("first", "second", "third")} == {third}


def test_a_present_identifier_comes_before_an_old_one() -> None:
    source, survivor = person("old", employee_number="E-1"), person("new")
    merged(source, survivor)
    now = person("now", external_id="old@example.org")
    survivor.aliases.create(kind="external_id", value="old@example.org")
    assert find_by_identifier(superadmin("second"), "old@example.org") == now


def test_a_number_that_two_people_hold_is_ambiguous() -> None:
    person("one", employee_number="E-1")
    person("two", employee_number="E-1")
    with pytest.raises(AmbiguousIdentifier):
        find_by_identifier(superadmin(), "E-1")


def test_one_word_in_two_columns_of_two_people_is_ambiguous() -> None:
    person("77")
    person("two", employee_number="77")  # from before such words were refused
    with pytest.raises(AmbiguousIdentifier):
        find_by_identifier(superadmin(), "77")


def test_whom_the_actor_does_not_know_of_makes_nothing_ambiguous() -> None:
    known = person("one", employee_number="E-1")
    person("two", employee_number="E-1")
    assert find_by_identifier(power_user(Right.VIEW, sees=(known,)), "E-1") == known


def test_it_finds_nobody_whom_the_actor_does_not_know_of() -> None:
    source, survivor = person("old"), person("new")
    actor = power_user(Right.VIEW, sees=(source,))
    assert find_by_identifier(actor, "old") == source
    merged(source, survivor)
    assert find_by_identifier(actor, "old") is None
