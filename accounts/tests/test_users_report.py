"""The Users report over HTTP: rights, filters, a bounded number of statements."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Branch, BranchMembership, Status, User
from tests.factories import PowerUserFactory, SuperadminFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client: Client) -> User:
    admin = SuperadminFactory.create(username="boss", first_name="Bea", last_name="Boss")
    client.force_login(admin)
    return admin


def listed(client: Client, query: str = "") -> list[str]:
    return [account.username for account, _ in client.get(f"/users/?{query}").context["rows"]]


def test_it_asks_strangers_to_sign_in_and_refuses_learners(client: Client) -> None:
    assert client.get("/users/").headers["Location"] == "/sign-in/?next=/users/"
    client.force_login(UserFactory.create())
    for path in ("/users/", "/users/search/?q=a", "/users/1/side/", "/users/new/", "/branches/"):
        assert client.get(path).status_code == 403


def test_it_refuses_a_power_user_without_the_right_to_view(client: Client) -> None:
    client.force_login(PowerUserFactory.create(rights=["users.edit"]))

    assert client.get("/users/").status_code == 403


def test_it_lists_active_accounts_unless_asked_otherwise(client: Client, admin: User) -> None:
    UserFactory.create(username="here", last_name="A")
    UserFactory.create(username="away", last_name="B", status=Status.INACTIVE)
    UserFactory.create(username="gone", last_name="C", status=Status.DELETED)

    assert listed(client) == ["here", "boss"]
    assert listed(client, "status=inactive") == ["away"]
    assert listed(client, "status=all") == ["here", "away", "boss"]
    assert listed(client, "status=deleted") == ["here", "boss"]


def test_it_filters_by_role_and_by_branch_with_those_below(client: Client, admin: User) -> None:
    top = Branch.objects.create(name="Top")
    below = Branch.objects.create(name="Below", parent=top)
    BranchMembership.objects.create(user=UserFactory.create(username="in.below"), branch=below)
    UserFactory.create(username="elsewhere")
    PowerUserFactory.create(username="power")

    assert listed(client, f"branch={top.pk}") == ["in.below"]
    assert listed(client, "role=power_user") == ["power"]


@pytest.mark.parametrize(
    "query",
    [
        "branch=x",
        "branch=99999999999999999999",
        "sort=password",
        "role=god",
        "status=",
        "after=%00",
        "q=%00",
        "selected=9e9",
    ],
)
def test_it_takes_what_no_page_offers_as_not_asked(client: Client, admin: User, query: str) -> None:
    assert listed(client, query) == ["boss"]


@pytest.mark.parametrize("sort", ["name", "username", "email", "employee_number", "last_sign_in", "added"])
def test_every_order_can_be_walked_both_ways(client: Client, admin: User, sort: str) -> None:
    UserFactory.create_batch(60)
    for prefix in ("", "-"):
        first = client.get(f"/users/?sort={prefix}{sort}").context
        second = client.get(f"/users/?sort={prefix}{sort}&after={first['page'].after}").context
        seen = [account.pk for account, _ in [*first["rows"], *second["rows"]]]
        assert len(seen) == len(set(seen)) == 61


def test_it_takes_the_same_statements_for_three_rows_and_for_fifty(
    client: Client, admin: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    branch = Branch.objects.create(name="Top")
    for rows in (3, 47):
        for user in UserFactory.create_batch(rows):
            BranchMembership.objects.create(user=user, branch=branch)
        with django_assert_num_queries(8):  # one of them notes in the audit that the list was read
            client.get("/users/")


def test_a_power_user_learns_no_name_of_a_survivor_that_is_not_theirs(client: Client) -> None:
    power = PowerUserFactory.create()
    survivor = UserFactory.create(username="secret.survivor")
    mine = UserFactory.create(status=Status.INACTIVE, merged_into=survivor)
    power.assigned_users.create(user=mine)
    client.force_login(power)
    for path in ("/users/?status=all", f"/users/{mine.pk}/"):
        assert "secret.survivor" not in client.get(path).content.decode()


def test_merge_user_is_offered_for_learners_to_those_who_may(client: Client, admin: User) -> None:
    learner = UserFactory.create()
    offered = {
        account.username: [action.label for action in actions]
        for account, actions in client.get("/users/").context["rows"]
    }
    assert offered[learner.username][0] == "Merge User"
    assert "Merge User" not in offered["boss"]
    assert "Delete" not in offered["boss"]


def test_merge_user_disappears_when_merging_is_off(
    client: Client, admin: User, settings: pytest.FixtureRequest
) -> None:
    settings.MERGING_ENABLED = False  # type: ignore[attr-defined]
    learner = UserFactory.create()

    assert "Merge User" not in client.get(f"/users/{learner.pk}/side/").content.decode()


def test_the_picker_leaves_out_the_other_account_and_others_than_learners(client: Client, admin: User) -> None:
    first, second = UserFactory.create_batch(2, first_name="Bea")
    answer = client.get(f"/users/search/?q=bea&learners=1&except={first.pk}").content.decode()

    assert f'data-id="{second.pk}"' in answer
    assert f'data-id="{first.pk}"' not in answer
    assert f'data-id="{admin.pk}"' not in answer
