"""An erasure locks in the order that others lock in, and costs the same however much the person left."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from accounts.services import delete_account
from bulk.models import Import, ImportRow
from merging.models import Merge
from privacy.person import Person, usable
from tests.factories import (
    AliasFactory,
    EnrollmentFactory,
    PointEntryFactory,
    ProfileValueFactory,
    SuperadminFactory,
    TransactionFactory,
    UserFactory,
)
from tests.merging_cases import Pair

pytestmark = pytest.mark.django_db


def statements(account: User) -> list[str]:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        delete_account(actor=SuperadminFactory.create(), account_id=account.pk)
    return [query["sql"] for query in queries.captured_queries]


def rich(number: int) -> User:
    person: User = UserFactory.create()
    for maker in (AliasFactory, EnrollmentFactory, PointEntryFactory, ProfileValueFactory, TransactionFactory):
        maker.create_batch(number, user=person)
    file = Import.objects.create(kind="users", file_name="u.csv", header=["id"], uploaded_by=UserFactory.create())
    ImportRow.objects.bulk_create(
        ImportRow(import_file=file, line=line, cells={"id": "1"}, target=person.pk) for line in range(number)
    )
    return person


def test_merges_are_locked_before_accounts_as_an_undo_does() -> None:
    pair = Pair.make()
    pair.merge()
    said = statements(pair.source)
    merges = [place for place, sql in enumerate(said) if '"merging_merge"' in sql and "FOR NO KEY UPDATE" in sql]
    accounts = [place for place, sql in enumerate(said) if "accounts_user" in sql and "FOR UPDATE" in sql]
    assert merges[0] < accounts[0]


def test_files_that_name_the_person_are_locked_before_accounts_as_a_run_does() -> None:
    said = statements(rich(1))
    files = [place for place, sql in enumerate(said) if '"bulk_import"' in sql and "FOR NO KEY UPDATE" in sql]
    accounts = [place for place, sql in enumerate(said) if "accounts_user" in sql and "FOR UPDATE" in sql]
    assert files[0] < accounts[0]


def test_it_takes_a_constant_number_of_statements() -> None:
    assert len(statements(rich(2))) == len(statements(rich(40)))


def test_a_row_that_has_not_run_is_refused_and_one_that_ran_keeps_its_outcome() -> None:
    person = rich(2)
    ImportRow.objects.filter(target=person.pk).update(verdict="changed")
    ImportRow.objects.filter(line=1).update(outcome="changed")
    statements(person)
    found = ImportRow.objects.values_list("verdict", "outcome", "cells", "reason")
    assert list(found) == [("refused", "", {}, "The account was deleted."), ("changed", "changed", {}, "The account was deleted.")]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "text", "left"),
    [
        ("jane.doe", "Jane.Doe asked", "[removed] asked"),
        ("jane", "Janet and jane", "Janet and [removed]"),
        ("a+b(c)", "it is a+b(c).", "it is [removed]."),
        ("Ælfrīc", "with ÆLFRĪC", "with [removed]"),
        ("12", "on the 12th, at 12", "on the 12th, at 12"),
        ("o'neil\\%s", "O'Neil\\%s came", "[removed] came"),
    ],
)
def test_texts_of_others_lose_whole_identifiers_alone(value: str, text: str, left: str) -> None:
    people = {name: UserFactory.create() for name in ("source", "destination", "performed_by")}
    merge = Merge.objects.create(**people, policy="best_record", reason=text)
    statements(UserFactory.create(employee_number=value, first_name="", last_name=""))
    merge.refresh_from_db()
    assert merge.reason == left


def test_a_letter_that_only_postgresql_makes_small_is_found_too() -> None:
    """Python makes two characters of it, PostgreSQL one; the cell is compared in PostgreSQL."""
    person = UserFactory.create(username="İpek.Deniz", email="İpek@example.com", first_name="", last_name="")
    file = Import.objects.create(kind="users", file_name="u.csv", header=["username"], uploaded_by=UserFactory.create())
    row = ImportRow.objects.create(
        import_file=file, line=1, cells={"username": "İpek.DENIZ", "email": "İPEK@example.com"}
    )
    statements(person)
    row.refresh_from_db()
    assert row.cells == {}


def test_a_person_without_values_has_no_pattern() -> None:
    assert Person([1]).identifier_pattern is None
    assert usable(["", None, "ab", " abc "]) == {"abc"}
