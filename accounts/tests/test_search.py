"""Finding accounts while one types."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Branch, BranchMembership, Status, User
from tests.factories import PowerUserFactory, SuperadminFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> User:
    return SuperadminFactory.create(first_name="Zoe", last_name="Zorn", username="zz", email="zz@example.com")


@pytest.mark.parametrize(
    "text",
    ["jane", "JANE", "doe", "jane d", "doe, jane", "Doe  Jane", "jd", "JD@EX", "e-77", "jané"[:3]],
)
def test_it_finds_by_the_beginning_of_every_key(admin: User, text: str) -> None:
    jane = UserFactory.create(
        first_name="Jane", last_name="Doe", username="jd", email="jd@example.com", employee_number="E-77"
    )
    UserFactory.create(first_name="Otto", last_name="Other")

    assert User.objects.matching(admin, text, 5) == [jane]


@pytest.mark.parametrize("text", ["", "   ", ",", "\x00", "ane", "%", "_", "'; --", "\U0010ffff", "x" * 5000])
def test_it_finds_nobody_by_anything_else(admin: User, text: str) -> None:
    UserFactory.create(first_name="Jane", last_name="Doe")

    assert User.objects.matching(admin, text, 5) == []


def test_it_offers_each_account_once_and_no_more_than_asked_for(admin: User) -> None:
    UserFactory.create_batch(8, first_name="Sam", last_name="Sample", employee_number="sam")

    found = User.objects.matching(admin, "sam", 5)

    assert len(found) == 5
    assert len({account.pk for account in found}) == 5


def test_it_leaves_out_the_deleted_and_keeps_the_inactive(admin: User) -> None:
    inactive = UserFactory.create(first_name="Jane", status=Status.INACTIVE)
    UserFactory.create(first_name="Jane", status=Status.DELETED)

    assert User.objects.matching(admin, "jane", 5) == [inactive]


def test_a_power_user_finds_only_those_assigned_to_them() -> None:
    power = PowerUserFactory.create(first_name="Paul")
    top = Branch.objects.create(name="Top")
    below = Branch.objects.create(name="Below", parent=top)
    direct, by_branch, _other = UserFactory.create_batch(3, first_name="Jane")
    power.assigned_users.create(user=direct)
    power.assigned_branches.create(branch=top)
    BranchMembership.objects.create(user=by_branch, branch=below)

    assert {account.pk for account in User.objects.matching(power, "jane", 5)} == {direct.pk, by_branch.pk}


def test_a_power_user_finds_theirs_behind_many_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.models.search.NEAREST", 3)
    power = PowerUserFactory.create(first_name="Paul")
    UserFactory.create_batch(9, first_name="Jane", last_name="A")
    mine = UserFactory.create(first_name="Jane", last_name="Z")
    power.assigned_users.create(user=mine)

    assert User.objects.matching(power, "jane", 5) == [mine]


def test_a_learner_finds_nobody_else() -> None:
    learner, _other = UserFactory.create_batch(2, first_name="Jane")

    assert User.objects.matching(learner, "jane", 5) == [learner]


def test_each_probe_reads_its_own_index(admin: User) -> None:
    UserFactory.create(first_name="Jane")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off")
    with CaptureQueriesContext(connection) as queries:
        User.objects.matching(admin, "jane", 5)

    assert len(queries) == 2
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {queries[0]['sql']}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    for key in ("name", "first_name", "username", "email", "employee_number"):
        assert f"Index Scan using users_by_{key} " in plan
    assert "Sort" not in plan
