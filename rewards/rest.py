"""REST: badges, points, coins and the reward shop."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from accounts.rest import transcript
from accounts.rest.owned import CatalogueRows, OwnedRows
from rest_contract import filters
from rest_contract.serializers import StrictModel
from rewards.models import Badge, BadgeAward, CoinEntry, PointEntry, Reward, RewardRequest


class BadgeSerializer(StrictModel):
    class Meta:
        model = Badge
        fields = ["id", "name", "points"]


class Badges(CatalogueRows):
    """Something to earn."""

    model = Badge
    serializer_class = BadgeSerializer
    filters = {"search": filters.by_words("name")}
    orderings = {"id": "id", "name": "name"}


class BadgeAwardSerializer(StrictModel):
    fixed = ("user", "badge")
    superseded = serializers.BooleanField(source="is_superseded", read_only=True)

    class Meta:
        model = BadgeAward
        fields = ["id", "user", "badge", "awarded_at", "superseded"]


class BadgeAwards(OwnedRows):
    """An account won a badge. Superseded awards are listed only when asked for."""

    model = BadgeAward
    serializer_class = BadgeAwardSerializer
    filters = {
        "user": filters.by_id("user"),
        "badge": filters.by_id("badge"),
        "superseded": filters.by_flag("is_superseded"),
    }
    orderings = {"id": "id", "awarded_at": "awarded_at"}

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        rows = super().filter_queryset(queryset)
        if self.action != "list" or "superseded" in self.request.query_params:
            return rows
        return rows.filter(is_superseded=False)


class AppendOnly(OwnedRows):
    """A ledger: entries are added, never changed."""

    filters = {"user": filters.by_id("user"), "since": filters.since("occurred_at")}
    orderings = {"id": "id", "occurred_at": "occurred_at"}
    http_method_names = ["get", "post", "head"]


class PointEntrySerializer(StrictModel):
    class Meta:
        model = PointEntry
        fields = ["id", "user", "amount", "reason", "occurred_at"]


class PointEntries(AppendOnly):
    """Bookings of points; the balance is their sum."""

    model = PointEntry
    serializer_class = PointEntrySerializer


class CoinEntrySerializer(StrictModel):
    class Meta:
        model = CoinEntry
        fields = ["id", "user", "amount", "reason", "occurred_at"]


class CoinEntries(AppendOnly):
    """Bookings of coins; the balance is their sum."""

    model = CoinEntry
    serializer_class = CoinEntrySerializer


class RewardSerializer(StrictModel):
    class Meta:
        model = Reward
        fields = ["id", "name", "coins"]


class Rewards(CatalogueRows):
    """Something in the shop, for a price in coins."""

    model = Reward
    serializer_class = RewardSerializer
    filters = {"search": filters.by_words("name")}
    orderings = {"id": "id", "name": "name"}


@extend_schema_serializer(component_name="RequestedReward")
class RewardRequestSerializer(StrictModel):
    fixed = ("user", "reward")

    class Meta:
        model = RewardRequest
        fields = ["id", "user", "reward", "status", "requested_at"]


class RewardRequests(OwnedRows):
    """An account asked for a reward."""

    model = RewardRequest
    serializer_class = RewardRequestSerializer
    filters = {
        "user": filters.by_id("user"),
        "reward": filters.by_id("reward"),
        "status": filters.by_choice("status", RewardRequest.Status.values),
    }
    orderings = {"id": "id", "requested_at": "requested_at"}


transcript.register("badges", BadgeAwards, Q(is_superseded=False))
transcript.register("points", PointEntries, is_ledger=True)
transcript.register("coins", CoinEntries, is_ledger=True)
transcript.register("reward_requests", RewardRequests)
