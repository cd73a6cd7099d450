"""Branches unite when user information is merged; managers and team members are the destination's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.db.models import Case as Switch
from django.db.models import CharField, Exists, OuterRef, Value, When

from accounts.models import BranchMembership, ManagerAssignment
from merging.handlers import Case, Claim, MergeHandler, Move, Outcome, Verdict, moves, register, stays


@register
class BranchHandler(MergeHandler):
    key, section = "branches", "account"
    claims = (Claim(BranchMembership, "user"),)
    related = ("branch",)

    def plan(self, case: Case) -> Iterator[Move]:
        there = BranchMembership.objects.filter(user=case.destination.pk, branch=OuterRef("branch"))
        whens = (
            When(Exists(there), then=Value("there")),
            When(merged_from__isnull=False, then=Value("lacks_again")),
        )
        verdict = Switch(*whens, default=Value("lacks"), output_field=CharField())
        rows = BranchMembership.objects.filter(user=case.source.pk).annotate(verdict=verdict)
        there_already = stays(case.source.pk, "the destination is in it already")
        lacks = self._lacks(case)
        first = _with_origin(lacks, case.source.pk) if lacks.outcome == Outcome.MOVED else lacks
        yield Move(rows, {"lacks": first, "lacks_again": lacks, "there": there_already})

    def _lacks(self, case: Case) -> Verdict:
        if not case.policy.unites_branches:
            return stays(case.source.pk, "the destination's branches are kept")
        if not case.choices.merge_profile:
            return stays(case.source.pk, "branches unite only when user information is merged")
        return moves(case.source.pk, case.destination.pk, reason="branches unite")

    def describe(self, row: Any) -> tuple[str, dict[str, Any]]:
        return f"Branch {row.branch}", {"branch": row.branch_id}


def _with_origin(verdict: Verdict, source_id: int) -> Verdict:
    before, after = {**verdict.before, "merged_from_id": None}, {**verdict.after, "merged_from_id": source_id}
    return replace(verdict, before=before, after=after)


@register
class ManagerHandler(MergeHandler):
    """Names nobody: a manager may be somebody whom the actor doesn't know of."""

    key, section = "managers", "account"
    claims = (Claim(ManagerAssignment, "user"), Claim(ManagerAssignment, "manager"))

    def plan(self, case: Case) -> Iterator[Move]:
        managers, team = self.claims
        yield self.move_all(case, managers, stays(case.source.pk, "the destination's managers are kept"))
        kept = stays(case.source.pk, "the destination's team members are kept", column="manager_id")
        yield self.move_all(case, team, kept)

    def describe(self, row: Any) -> tuple[str, dict[str, Any]]:
        return "Manager or team member", {}
