"""Badges, ledgers and reward requests, on a user's page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import Model, Q, Sum

from accounts.models import User
from accounts.transcript import Column, Kind, register
from rewards.models import BadgeAward, CoinEntry, PointEntry, RewardRequest


def _balance(model: type[Model]) -> Callable[[User], str]:
    def balance(account: User) -> str:
        booked: dict[str, Any] = model._default_manager.filter(user=account).aggregate(sum=Sum("amount"))
        return f"Balance {booked['sum'] or 0:,}"

    return balance


LEDGER = (Column("Amount", "amount"), Column("Reason", "reason"), Column("Booked", "occurred_at"))

register(
    Kind(
        key="badges",
        label="Badges",
        rows=lambda account: BadgeAward.objects.filter(user=account).select_related("badge"),
        columns=(Column("Badge", "badge.name"), Column("Points", "badge.points"), Column("Awarded", "awarded_at")),
        aside=Q(is_superseded=True),
        order="awarded_at",
        notes=lambda row: [("", "Superseded")] if row.is_superseded else [],
    )
)
register(
    Kind(
        key="points",
        label="Points",
        rows=lambda account: PointEntry.objects.filter(user=account),
        columns=LEDGER,
        order="occurred_at",
        total=_balance(PointEntry),
    )
)
register(
    Kind(
        key="coins",
        label="Coins",
        rows=lambda account: CoinEntry.objects.filter(user=account),
        columns=LEDGER,
        order="occurred_at",
        total=_balance(CoinEntry),
    )
)
register(
    Kind(
        key="reward_requests",
        label="Reward requests",
        rows=lambda account: RewardRequest.objects.filter(user=account).select_related("reward"),
        columns=(
            Column("Reward", "reward.name"),
            Column("Coins", "reward.coins"),
            Column("Status", lambda row: row.get_status_display()),
            Column("Requested", "requested_at"),
        ),
        order="requested_at",
    )
)
