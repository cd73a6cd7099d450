"""REST: subscription plans, licences and payments."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.core.validators import RegexValidator
from django.db.models import Count

from accounts.models import Branch
from accounts.rest import transcript
from accounts.rest.owned import CatalogueRows, ListedIds, OwnedRows
from commerce.models import PlanBranch, Subscription, SubscriptionPlan, Transaction
from rest_contract import fields, filters
from rest_contract.problems import Conflict
from rest_contract.serializers import StrictModel
from rest_contract.views import Row

ACTIVE = Subscription.Status.ACTIVE


class SubscriptionPlanSerializer(StrictModel):
    branches = fields.IdListField(Branch, required=False)

    class Meta:
        model = SubscriptionPlan
        fields = ["id", "name", "branches", "seats"]


class SubscriptionPlans(ListedIds, CatalogueRows):
    """Seats of a plan; only its branches may see it, all when it names none."""

    model = SubscriptionPlan
    serializer_class = SubscriptionPlanSerializer
    filters = {"search": filters.by_words("name")}
    orderings = {"id": "id", "name": "name"}
    lists = {"branches": (PlanBranch, "plan", "branch")}


class SubscriptionSerializer(StrictModel):
    fixed = ("user", "plan")

    class Meta:
        model = Subscription
        fields = ["id", "user", "plan", "status", "starts_at", "ends_at"]


class Subscriptions(OwnedRows):
    """One seat of a plan; a plan gives no more seats than it has."""

    model = Subscription
    serializer_class = SubscriptionSerializer
    filters = {
        "user": filters.by_id("user"),
        "plan": filters.by_id("plan"),
        "status": filters.by_choice("status", Subscription.Status.values),
    }
    orderings = {"id": "id", "starts_at": "starts_at", "ends_at": "ends_at"}

    def insert(self, rows: list[Row]) -> list[Any]:
        self.lock(rows)
        need_seats(Counter(row["plan"] for row in rows if row.get("status", ACTIVE) == ACTIVE))
        return super().insert(rows)

    def change(self, row: Any, values: Row) -> Any:
        self.lock_row(row)
        if values.get("status") == ACTIVE and row.status != ACTIVE:
            need_seats(Counter([row.plan_id]))
        return super().change(row, values)


def need_seats(wanted: Counter[int]) -> None:
    """Lock the plans, in id order, and refuse when one hasn't as many free seats."""
    plans = list(SubscriptionPlan.objects.select_for_update().filter(pk__in=wanted).order_by("pk"))
    taken = dict(
        Subscription.objects.filter(plan__in=wanted, status=ACTIVE)
        .values("plan")
        .annotate(seats=Count("id"))
        .values_list("plan", "seats")
    )
    for plan in plans:
        if plan.seats is not None and taken.get(plan.pk, 0) + wanted[plan.pk] > plan.seats:
            raise Conflict("no_seat_left", "This plan has no seat left.", plan=plan.pk, seats=plan.seats)


class TransactionSerializer(StrictModel):
    fixed = ("user", "amount", "currency", "occurred_at")
    amount = fields.MoneyField()
    currency = fields.CharField(min_length=3, max_length=3, validators=[RegexValidator(r"^[A-Z]{3}\Z")])

    class Meta:
        model = Transaction
        fields = ["id", "user", "amount", "currency", "description", "reference", "occurred_at"]


class Transactions(OwnedRows):
    """One payment, or refund when negative. Only its description and reference can be changed."""

    model = Transaction
    serializer_class = TransactionSerializer
    filters = {
        "user": filters.by_id("user"),
        "currency": filters.by_text("currency"),
        "reference": filters.by_text("reference"),
        "since": filters.since("occurred_at"),
    }
    orderings = {"id": "id", "occurred_at": "occurred_at"}


transcript.register("subscriptions", Subscriptions)
transcript.register("transactions", Transactions)
