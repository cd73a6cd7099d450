"""Licences and payments, on a user's page."""

from __future__ import annotations

from django.db.models import Sum

from accounts.models import User
from accounts.transcript import Column, Kind, register
from commerce.models import Subscription, Transaction


def _paid(account: User) -> str:
    """What the account paid, per currency."""
    sums = Transaction.objects.filter(user=account).values("currency").annotate(sum=Sum("amount")).order_by("currency")
    return " · ".join(f"{row['currency']} {row['sum']:,}" for row in sums)


register(
    Kind(
        key="subscriptions",
        label="Subscriptions",
        rows=lambda account: Subscription.objects.filter(user=account).select_related("plan"),
        columns=(
            Column("Plan", "plan.name"),
            Column("Status", lambda row: row.get_status_display()),
            Column("From", "starts_at"),
            Column("Until", "ends_at"),
        ),
    )
)
register(
    Kind(
        key="transactions",
        label="Transactions",
        rows=lambda account: Transaction.objects.filter(user=account),
        columns=(
            Column("Description", "description"),
            Column("Amount", "amount"),
            Column("Currency", "currency"),
            Column("Reference", "reference"),
            Column("Date", "occurred_at"),
        ),
        order="occurred_at",
        total=_paid,
    )
)
