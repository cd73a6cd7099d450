"""What becomes of the source account: aliases, status, access."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import Alias, ApiToken, Session, Status, User
from accounts.services import check_credentials, create_token, find_token, reactivate
from accounts.sign_in import reset_tokens
from accounts.tests.people import PASSWORD, merged, person, superadmin
from merging import services
from merging.errors import RowsHaveChanged
from merging.models import Merge

pytestmark = pytest.mark.django_db


def aliases(account: User) -> set[tuple[str, str]]:
    return set(account.aliases.values_list("kind", "value"))


def undo(merge: Merge) -> None:
    actor = User.objects.get(role="superadmin")
    services.undo_merge(actor=actor, merge_id=merge.pk, reason="wrong")


@pytest.mark.covers("S3.101", "S3.102", "S3.106")
def test_best_record_leaves_the_source_as_it_was(client: Client) -> None:
    source, destination = person("old", password=PASSWORD), person("new")
    client.force_login(source)
    key, _ = create_token(owner=source)
    merged(source, destination)
    assert (source.status, source.merged_into) == (Status.ACTIVE, destination)
    assert check_credentials(caller="test", username="old", password=PASSWORD) == source
    assert find_token(key) is not None
    assert Session.objects.filter(account=source).exists()


@pytest.mark.covers("S2.12", "S2.13", "S2.26", "S2.27", "S2.28")
def test_keep_primary_makes_the_duplicate_inactive_and_keeps_the_primary() -> None:
    source, destination = person("old", password=PASSWORD), person("new", password=PASSWORD)
    merged(source, destination, policy="keep_primary")
    assert (source.status, destination.status) == (Status.INACTIVE, Status.ACTIVE)
    assert check_credentials(caller="test", username="old", password=PASSWORD) is None
    assert check_credentials(caller="test", username="new", password=PASSWORD) == destination


def test_the_access_of_an_inactive_source_ends_and_undo_does_not_revive_it(client: Client) -> None:
    root, source, destination = superadmin(), person("old", password=PASSWORD), person("new")
    client.force_login(source)
    cookie = Session.objects.get(account=source)
    key, _ = create_token(owner=source)
    link = reset_tokens.make_token(source)
    merge = merged(source, destination, policy="keep_primary")
    assert not Session.objects.filter(account=source).exists()
    assert not ApiToken.objects.exists()
    undo(merge)
    source.refresh_from_db()
    assert (source.status, source.merged_into) == (Status.ACTIVE, None)
    assert find_token(key) is None
    assert not reset_tokens.check_token(source, link)
    cookie.save(force_insert=True)
    client.get("/")
    assert not Session.objects.filter(account=source).exists() or "_auth_user_id" not in client.session
    assert root.is_superadmin


def test_the_access_of_the_destination_goes_on(client: Client) -> None:
    source, destination = person("old"), person("new")
    key, _ = create_token(owner=destination)
    epoch = destination.session_epoch
    merged(source, destination, policy="keep_primary")
    assert find_token(key) is not None
    assert destination.session_epoch == epoch


def test_a_source_that_was_inactive_stays_so_through_merge_and_undo() -> None:
    superadmin()
    source, destination = person("old", status=Status.INACTIVE), person("new")
    merge = merged(source, destination, policy="keep_primary")
    undo(merge)
    source.refresh_from_db()
    assert (source.status, source.merged_into) == (Status.INACTIVE, None)


def test_a_source_reactivated_since_is_not_overwritten_by_undo() -> None:
    root, source, destination = superadmin(), person("old"), person("new")
    merge = merged(source, destination, policy="keep_primary")
    reactivate(actor=root, account_id=source.pk)
    with pytest.raises(RowsHaveChanged) as error:
        undo(merge)
    assert error.value.facts == {"rows": [{"model": "accounts.User", "id": source.pk}]}


def test_the_sources_identifiers_become_aliases() -> None:
    source, destination = person("old", employee_number="E-1", external_id="X-1"), person("new")
    merge = merged(source, destination)
    assert aliases(destination) == {
        ("username", "old"),
        ("email", "old@example.com"),
    }
    assert (destination.employee_number, destination.external_id) == ("E-1", "X-1")
    assert merge.counts["account"]["added"] == 2


def test_numbers_that_are_not_taken_over_become_aliases_too() -> None:
    source, destination = person("old", employee_number="E-1", external_id="X-1"), person("new")
    merged(source, destination, policy="keep_primary")
    assert {("employee_number", "E-1"), ("external_id", "X-1")} < aliases(destination)


def test_a_number_that_is_overwritten_still_finds_the_destination() -> None:
    source, destination = person("old", employee_number="E-1"), person("new", employee_number="E-2")
    merged(source, destination)
    assert ("employee_number", "E-2") in aliases(destination)
    assert ("employee_number", "E-1") not in aliases(destination)


def test_a_number_that_both_have_needs_no_alias() -> None:
    source, destination = person("old", employee_number="e-1"), person("new", employee_number="E-1")
    merged(source, destination, policy="keep_primary")
    assert {kind for kind, _ in aliases(destination)} == {"username", "email"}


def test_earlier_aliases_move_along_and_the_same_ones_stay() -> None:
    source, destination = person("old"), person("new")
    mine = Alias.objects.create(user=source, kind="username", value="older")
    same = Alias.objects.create(user=source, kind="username", value="BOTH")
    Alias.objects.create(user=destination, kind="username", value="both")
    merge = merged(source, destination)
    mine.refresh_from_db()
    same.refresh_from_db()
    assert (mine.user, same.user) == (destination, source)
    assert merge.journal.get(model="accounts.Alias", kind="stay").ids == [same.pk]


def test_an_alias_that_the_source_has_twice_arrives_once() -> None:
    source, destination = person("old"), person("new")
    Alias.objects.create(user=source, kind="username", value="OLD")
    merged(source, destination)
    assert sorted(value for kind, value in aliases(destination) if kind == "username") == ["OLD"]


def test_letters_that_only_postgresql_takes_for_one_do_not_stop_a_merge() -> None:
    source, destination = person("old"), person("new")
    Alias.objects.create(user=source, kind="external_id", value="\u0130")  # a capital I with a dot, and one without
    Alias.objects.create(user=destination, kind="external_id", value="I")
    merged(source, destination)
    assert source.merged_into == destination


@pytest.mark.covers("P.5")
@pytest.mark.parametrize("policy", ["best_record", "keep_primary"])
def test_undo_brings_back_accounts_and_aliases(policy: str) -> None:
    superadmin()
    source, destination = person("old", employee_number="E-1"), person("new", employee_number="E-2")
    Alias.objects.create(user=source, kind="username", value="older")

    def everything() -> list[Any]:
        users = User.objects.order_by("pk").values()
        kept = [{name: value for name, value in one.items() if name != "session_epoch"} for one in users]
        return [kept, list(Alias.objects.order_by("pk").values())]

    before = everything()
    undo(merged(source, destination, policy=policy))
    assert everything() == before


def test_what_a_source_gained_since_goes_the_same_way_again() -> None:
    source, destination = person("old"), person("new")
    merged(source, destination)
    User.objects.filter(pk=source.pk).update(email="changed@example.com")
    merge = merged(source, destination)
    assert merge.follows is not None
    assert ("email", "changed@example.com") in aliases(destination)
    assert ("email", "old@example.com") in aliases(destination)
