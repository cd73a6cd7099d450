"""What a merge does to licences and payments."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import BooleanField, Exists, F, OuterRef, Q, QuerySet, When
from django.db.models import Case as Switch

from accounts.models import Branch, BranchMembership
from commerce.models import PlanBranch, Subscription, Transaction
from merging.handlers import Case, Change, Claim, MergeHandler, Move, Verdict, register, stays
from merging.twins import TwinHandler


@register
class SubscriptionHandler(TwinHandler):
    """A licence moves when the destination may see its plan. Of two seats the one that ends later stays."""

    key = section = "subscriptions"
    claims = (Claim(Subscription, "user"),)
    related = ("plan",)
    things = ("plan",)
    live = Q(status="active")
    keeps = {"status": "active"}
    loses = {"status": "released"}
    columns = ("is_seen",)
    is_fixed = False  # it looks at the destination's branches
    order = (F("ends_at").desc(nulls_first=True),)
    noun = "licence"

    def rows(self, case: Case) -> QuerySet[Any]:
        """All licences, each with whether the destination may see its plan, by its branches before the merge."""
        named = PlanBranch.objects.filter(plan=OuterRef("plan"))
        seen = ~Exists(named) | Exists(named.filter(branch__in=_branches_of(case.destination.pk)))
        is_seen = Switch(When(seen, then=True), default=False, output_field=BooleanField())
        rows: QuerySet[Any] = super().rows(case).annotate(is_seen=is_seen)
        return rows

    def alive(self, case: Case) -> Q:
        return self.live & Q(Q(user=case.destination.pk) | Q(is_seen=True))

    def cases(self, case: Case) -> Iterator[tuple[str, str]]:
        yield f"user_id = {case.source.pk:d} AND NOT is_seen", "skipped"
        yield from super().cases(case)

    def classes(self, case: Case) -> Mapping[str, Verdict]:
        skipped = stays(case.source.pk, "none of the destination's branches may see this plan")
        return {**super().classes(case), "skipped": skipped}

    def describe(self, row: Any) -> tuple[str, dict[str, Any]]:
        facts = {"plan": row.plan_id, "status": row.status, "starts_at": row.starts_at, "ends_at": row.ends_at}
        return f"{row.plan}, {row.get_status_display().lower()}", {"id": row.pk, **facts}


def _branches_of(account_id: int) -> set[int]:
    """The account's branches and those above them: what a branch may see, those below it may."""
    layer = set(BranchMembership.objects.filter(user=account_id).values_list("branch_id", flat=True))
    found: set[int] = set()
    while layer:
        found |= layer
        above = Branch.objects.filter(pk__in=layer, parent__isnull=False).values_list("parent_id", flat=True)
        layer = set(above) - found
    return found


@register
class TransactionHandler(MergeHandler):
    """Payments move unchanged, with the enrollments."""

    key = section = "transactions"
    claims = (Claim(Transaction, "user"),)

    def plan(self, case: Case) -> Iterator[Change | Move]:
        verdict = None if case.merges_enrollments else stays(case.source.pk, "transactions go with the enrollments")
        yield self.move_all(case, self.claims[0], verdict)

    def describe(self, row: Any) -> tuple[str, dict[str, Any]]:
        what = f"{row.amount} {row.currency}" + (f", {row.description}" if row.description else "")
        facts = {"amount": row.amount, "currency": row.currency, "reference": row.reference}
        return what, {"id": row.pk, **facts, "occurred_at": row.occurred_at}
