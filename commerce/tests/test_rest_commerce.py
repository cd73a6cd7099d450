"""REST of licences and payments."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from accounts.models import User
from commerce.models import Subscription
from tests.factories import BranchFactory, SubscriptionPlanFactory, UserFactory

V1 = "/api/v1/"


def post(api: Any, path: str, body: Any) -> Any:
    return api.post(f"{V1}{path}/", body, format="json")


def test_a_plan_names_the_branches_that_may_see_it(api: Any) -> None:
    branch = BranchFactory.create()
    made = post(api, "subscription-plans", {"name": "Gold", "branches": [branch.pk], "seats": 2}).json()
    assert made == {"id": made["id"], "name": "Gold", "branches": [branch.pk], "seats": 2}


def test_no_more_seats_are_given_than_there_are(api: Any, problem: Any, learner: User) -> None:
    plan = SubscriptionPlanFactory.create(seats=1)
    made = post(api, "subscriptions", {"user": learner.pk, "plan": plan.pk}).json()
    other = {"user": UserFactory.create().pk, "plan": plan.pk}
    assert problem(post(api, "subscriptions", other), 409, "no_seat_left")["seats"] == 1
    released = api.patch(f"{V1}subscriptions/{made['id']}/", {"status": "released"}, format="json")
    assert released.json()["status"] == "released"
    assert post(api, "subscriptions", other).status_code == 201
    problem(api.patch(f"{V1}subscriptions/{made['id']}/", {"status": "active"}, format="json"), 409, "no_seat_left")


def test_a_list_counts_as_many_seats_as_it_has_rows(api: Any, problem: Any) -> None:
    plan = SubscriptionPlanFactory.create(seats=2)
    rows = [{"user": UserFactory.create().pk, "plan": plan.pk} for _ in range(3)]
    problem(post(api, "subscriptions", rows), 409, "no_seat_left")
    assert post(api, "subscriptions", [*rows[:2], {**rows[2], "status": "released"}]).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_two_who_want_the_last_seat_get_one(api: Any) -> None:
    plan = SubscriptionPlanFactory.create(seats=1)
    users = [UserFactory.create().pk for _ in range(4)]

    def take(user: int) -> int:
        try:
            return int(post(api, "subscriptions", {"user": user, "plan": plan.pk}).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(take, users)) == [201, 409, 409, 409]
    assert Subscription.objects.count() == 1


@pytest.mark.parametrize("amount", [19.9, 19, "19.999", "1e3", "x", "", "NaN", "9" * 13, None, "\u0661"])
def test_money_is_text_with_two_decimals(api: Any, problem: Any, learner: User, amount: Any) -> None:
    body = {"user": learner.pk, "amount": amount, "currency": "EUR"}
    assert problem(post(api, "transactions", body), 400)["errors"][0]["field"] == "amount"


@pytest.mark.parametrize(
    ("sent", "shown"), [("19.90", "19.90"), ("-5", "-5.00"), ("0.1", "0.10"), ("999999999999.99",) * 2]
)
def test_money_comes_back_as_it_is(api: Any, learner: User, sent: str, shown: str) -> None:
    made = post(api, "transactions", {"user": learner.pk, "amount": sent, "currency": "EUR", "reference": "R1"}).json()
    assert (made["amount"], made["currency"], made["reference"]) == (shown, "EUR", "R1")
    refused = api.patch(f"{V1}transactions/{made['id']}/", {"amount": "1.00"}, format="json")
    assert refused.json()["errors"][0]["code"] == "read_only"


@pytest.mark.parametrize("currency", ["eur", "EU", "EURO", "E1R", 978, None])
def test_a_currency_is_three_capitals(api: Any, problem: Any, learner: User, currency: Any) -> None:
    body = {"user": learner.pk, "amount": "1.00", "currency": currency}
    assert problem(post(api, "transactions", body), 400)["errors"][0]["field"] == "currency"
