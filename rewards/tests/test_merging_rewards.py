"""What a merge does to badges, points, coins and reward requests."""

from typing import Any

import pytest
from django.db.models import Sum

from accounts.models import User
from merging.errors import UndoRefused
from rewards.models import CoinEntry, PointEntry
from tests.factories import (
    BadgeAwardFactory,
    BadgeFactory,
    CoinEntryFactory,
    PointEntryFactory,
    RewardRequestFactory,
    at,
)
from tests.merging_cases import Pair, outcomes, owner

pytestmark = pytest.mark.django_db
OFF = {"enrollments": {"merge": False}, "profile": {"merge": False}}
KINDS = [("points", PointEntry, PointEntryFactory), ("coins", CoinEntry, CoinEntryFactory)]

AWARDED = {
    "2025 | 2024": (at(2025), at(2024), "source"),
    "2024 | 2025": (at(2024), at(2025), "destination"),
    "the same moment": (at(2025), at(2025), "destination"),
}


@pytest.mark.covers("P.2")
@pytest.mark.parametrize("policy", ["best_record", "keep_primary"])
@pytest.mark.parametrize("row", AWARDED.values(), ids=AWARDED.keys())
def test_the_earliest_award_of_a_badge_counts(row: Any, policy: str) -> None:
    pair, badge = Pair.make(), BadgeFactory.create(points=50)
    own = BadgeAwardFactory.create(user=pair.destination, badge=badge, awarded_at=row[0])
    theirs = BadgeAwardFactory.create(user=pair.source, badge=badge, awarded_at=row[1])
    for user in (pair.source, pair.destination):
        PointEntryFactory.create(user=user, amount=50)
    pair.merge(policy)
    assert owner(own, pair) == owner(theirs, pair) == "destination"
    assert (own.is_superseded, theirs.is_superseded) == (row[2] == "source", row[2] == "destination")
    assert balance(PointEntry, pair.destination) == 100


@pytest.mark.covers("S3.25")
@pytest.mark.parametrize("choices", [None, OFF], ids=["on", "off"])
def test_badges_come_along(choices: Any) -> None:
    pair = Pair.make()
    award = BadgeAwardFactory.create(user=pair.source)
    assert outcomes(pair.preview(choices=choices), "badges") == {"moved": 1}
    pair.merge(choices=choices)
    assert owner(award, pair) == "destination"


def balance(model: Any, user: User) -> int:
    return model.objects.filter(user=user).aggregate(sum=Sum("amount"))["sum"] or 0


@pytest.mark.covers("S3.26", "S3.27")
@pytest.mark.parametrize(("section", "model", "make"), KINDS, ids=["points", "coins"])
@pytest.mark.parametrize("choices", [None, OFF], ids=["on", "off"])
def test_balances_add_up_exactly(section: str, model: Any, make: Any, choices: Any) -> None:
    pair = Pair.make()
    for user, amounts in ((pair.source, (100, -30)), (pair.destination, (5, -2))):
        for amount in amounts:
            make.create(user=user, amount=amount)
    before = list(model.objects.order_by("pk").values_list("pk", "amount", "reason", "occurred_at"))
    pair.merge(choices=choices)
    assert balance(model, pair.destination) == 73
    assert balance(model, pair.source) == 0
    assert list(model.objects.order_by("pk").values_list("pk", "amount", "reason", "occurred_at")) == before


@pytest.mark.parametrize(("section", "model", "make"), KINDS, ids=["points", "coins"])
def test_an_undo_is_refused_when_the_balance_was_spent(section: str, model: Any, make: Any) -> None:
    pair = Pair.make()
    make.create(user=pair.source, amount=100)
    merge = pair.merge()
    make.create(user=pair.destination, amount=-60)
    with pytest.raises(UndoRefused) as refusal:
        pair.undo(merge)
    assert refusal.value.code == "balance_below_zero"
    assert refusal.value.facts == {"account": pair.destination.pk, "balance": -60}
    assert section in refusal.value.detail
    assert balance(model, pair.destination) == 40
    make.create(user=pair.destination, amount=60)
    pair.undo(merge)
    assert (balance(model, pair.source), balance(model, pair.destination)) == (100, 0)


@pytest.mark.django_db(transaction=True)
def test_a_balance_that_was_below_zero_before_is_no_obstacle() -> None:
    pair = Pair.make()
    CoinEntryFactory.create(user=pair.source, amount=100)
    CoinEntryFactory.create(user=pair.destination, amount=-60)
    pair.undo(pair.merge())
    assert (balance(CoinEntry, pair.source), balance(CoinEntry, pair.destination)) == (100, -60)


@pytest.mark.covers("S3.28")
@pytest.mark.parametrize("status", ["requested", "approved", "delivered", "rejected"])
def test_requests_move_with_their_status(status: str) -> None:
    pair = Pair.make()
    request = RewardRequestFactory.create(user=pair.source, status=status)
    RewardRequestFactory.create(user=pair.destination, reward=request.reward)
    pair.merge()
    assert owner(request, pair) == "destination"
    assert request.status == status
