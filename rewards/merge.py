"""What a merge does to badges, points, coins and reward requests."""

from typing import Any, ClassVar

from django.db.models import F, Model, Q, Sum

from merging.errors import UndoRefused
from merging.handlers import Claim, MergeHandler, register
from merging.twins import TwinHandler
from rewards.models import BadgeAward, CoinEntry, PointEntry, RewardRequest


@register
class BadgeHandler(TwinHandler):
    """The earliest award counts. Points that a badge booked stay booked."""

    key = section = "badges"
    claims = (Claim(BadgeAward, "user"),)
    related = ("badge",)
    things = ("badge",)
    live = Q(is_superseded=False)
    keeps = {"is_superseded": False}
    loses = {"is_superseded": True}
    order = (F("awarded_at").asc(),)
    noun = "award"

    def describe(self, row: Any) -> tuple[str, dict[str, Any]]:
        facts = {"badge": row.badge_id, "awarded_at": row.awarded_at, "superseded": row.is_superseded}
        return str(row.badge), {"id": row.pk, **facts}


class LedgerHandler(MergeHandler):
    """Entries move, so that balances add up exactly. An undo may not leave a balance that was spent since."""

    unit: ClassVar[str]

    def describe(self, row: Any) -> tuple[str, dict[str, Any]]:
        what = f"{row.amount:+d} {self.unit}" + (f", {row.reason}" if row.reason else "")
        return what, {"id": row.pk, "amount": row.amount, "reason": row.reason, "occurred_at": row.occurred_at}

    def check_undo(self, merge: Any) -> None:
        for account in (merge.destination_id, merge.source_id):
            balance, before = self._balances(account, merge)
            if balance < 0 and balance < before:
                detail = f"Undoing would leave an account with {balance} {self.unit}, because some were spent since."
                facts = {"account": account, "balance": balance}
                raise UndoRefused(detail, code="balance_below_zero", facts=facts)

    def _balances(self, account: int, merge: Any) -> tuple[int, int]:
        """The account's balance now, and what it was before the merge."""
        model: type[Model] = self.claims[0].model
        entries = model._default_manager.filter(user=account)
        found = entries.aggregate(now=Sum("amount"), before=Sum("amount", filter=Q(created_at__lt=merge.requested_at)))
        return found["now"] or 0, found["before"] or 0


@register
class PointHandler(LedgerHandler):
    key = section = "points"
    claims = (Claim(PointEntry, "user"),)
    unit = "points"


@register
class CoinHandler(LedgerHandler):
    key = section = "coins"
    claims = (Claim(CoinEntry, "user"),)
    unit = "coins"


@register
class RewardRequestHandler(MergeHandler):
    """Requests move with their status."""

    key = section = "reward_requests"
    claims = (Claim(RewardRequest, "user"),)
    related = ("reward",)

    def describe(self, row: Any) -> tuple[str, dict[str, Any]]:
        facts = {"reward": row.reward_id, "status": row.status, "requested_at": row.requested_at}
        return f"{row.reward}, {row.get_status_display().lower()}", {"id": row.pk, **facts}
