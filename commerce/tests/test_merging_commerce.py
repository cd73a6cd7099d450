"""What a merge does to licences and payments."""

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from commerce.models import Subscription, Transaction
from tests.factories import (
    BranchFactory,
    BranchMembershipFactory,
    SubscriptionFactory,
    SubscriptionPlanFactory,
    TransactionFactory,
    at,
)
from tests.merging_cases import Pair, outcomes, owner, reasons

pytestmark = pytest.mark.django_db
OFF = {"enrollments": {"merge": False}}
UNSEEN = "none of the destination's branches may see this plan"


def a_branch(pair: Pair, *people: str, **facts: Any) -> Any:
    """A branch with these of the two in it."""
    branch = BranchFactory.create(**facts)
    for name in people:
        BranchMembershipFactory.create(user=getattr(pair, name), branch=branch)
    return branch


@pytest.mark.covers("S3.29", "S3.30", "S3.31")
@pytest.mark.parametrize("policy", ["best_record", "keep_primary"])
def test_only_licences_that_the_destination_may_see_move(policy: str) -> None:
    pair = Pair.make()
    common, theirs = a_branch(pair, "source", "destination"), a_branch(pair, "source")
    seen, unseen, open_to_all = (
        SubscriptionFactory.create(user=pair.source, plan=SubscriptionPlanFactory.create(branches=branches))
        for branches in ([common, theirs], [theirs], [])
    )
    payment = TransactionFactory.create(user=pair.source)
    plan = pair.preview(policy)
    assert outcomes(plan, "subscriptions") == {"moved": 2, "stays": 1}
    assert UNSEEN in reasons(plan, "subscriptions")
    pair.merge(policy)
    assert (owner(seen, pair), owner(open_to_all, pair), owner(unseen, pair)) == (
        "destination",
        "destination",
        "source",
    )
    assert unseen.status == "active"
    assert owner(payment, pair) == "destination"


def test_branches_that_the_merge_itself_brings_dont_count() -> None:
    pair = Pair.make()
    branch = a_branch(pair, "source")
    licence = SubscriptionFactory.create(user=pair.source, plan=SubscriptionPlanFactory.create(branches=[branch]))
    pair.merge()
    assert owner(licence, pair) == "source"


def test_what_a_branch_may_see_those_below_it_may() -> None:
    pair = Pair.make()
    top, other = BranchFactory.create(), BranchFactory.create()
    a_branch(pair, "destination", parent=BranchFactory.create(parent=top))
    below = BranchFactory.create(parent=other)
    seen, unseen = (
        SubscriptionFactory.create(user=pair.source, plan=SubscriptionPlanFactory.create(branches=[branch]))
        for branch in (top, below)
    )
    pair.merge()
    assert (owner(seen, pair), owner(unseen, pair)) == ("destination", "source")


ENDS = {
    "2026 | 2027": (at(2026), at(2027), "source"),
    "2027 | 2026": (at(2027), at(2026), "destination"),
    "2027 | never": (at(2027), None, "source"),
    "equal": (None, None, "destination"),
}


@pytest.mark.covers("P.2", "P.4")
@pytest.mark.parametrize("policy", ["best_record", "keep_primary"])
@pytest.mark.parametrize("row", ENDS.values(), ids=ENDS.keys())
def test_one_seat_stays_and_the_other_is_released(row: Any, policy: str) -> None:
    pair, plan = Pair.make(), SubscriptionPlanFactory.create()
    own = SubscriptionFactory.create(user=pair.destination, plan=plan, ends_at=row[0])
    theirs = SubscriptionFactory.create(user=pair.source, plan=plan, ends_at=row[1])
    pair.merge(policy)
    assert owner(own, pair) == owner(theirs, pair) == "destination"
    assert (own.ends_at, theirs.ends_at) == (row[0], row[1])
    kept, released = (theirs, own) if row[2] == "source" else (own, theirs)
    assert (kept.status, released.status) == ("active", "released")


def test_a_released_licence_moves_as_history() -> None:
    pair, plan = Pair.make(), SubscriptionPlanFactory.create()
    old = SubscriptionFactory.create(user=pair.source, plan=plan, status="released")
    own = SubscriptionFactory.create(user=pair.destination, plan=plan)
    pair.merge()
    assert owner(old, pair) == owner(own, pair) == "destination"
    assert list(Subscription.objects.order_by("pk").values_list("status", flat=True)) == ["released", "active"]


def totals() -> Counter[str]:
    found: Counter[str] = Counter()
    for currency, amount in Transaction.objects.values_list("currency", "amount"):
        found[currency] += amount  # type: ignore[assignment]
    return found


@pytest.mark.covers("S3.40")
@pytest.mark.parametrize("policy", ["best_record", "keep_primary"])
def test_payments_come_along_unchanged(policy: str) -> None:
    pair = Pair.make()
    rows = [
        TransactionFactory.create(user=pair.source, amount=a, currency=c) for a, c in (("9.99", "EUR"), ("-3", "USD"))
    ]
    TransactionFactory.create(user=pair.destination, amount="0.01", currency="EUR")
    before = list(Transaction.objects.order_by("pk").values("pk", "amount", "currency", "reference", "occurred_at"))
    pair.merge(policy)
    assert {owner(row, pair) for row in rows} == {"destination"}
    assert (
        list(Transaction.objects.order_by("pk").values("pk", "amount", "currency", "reference", "occurred_at"))
        == before
    )
    assert totals() == {"EUR": Decimal("10.00"), "USD": Decimal(-3)}


@pytest.mark.covers("S3.41")
def test_payments_stay_when_enrollments_are_not_merged() -> None:
    pair = Pair.make()
    payment = TransactionFactory.create(user=pair.source)
    assert reasons(pair.preview(choices=OFF), "transactions") == ["transactions go with the enrollments"]
    pair.merge(choices=OFF)
    assert owner(payment, pair) == "source"
