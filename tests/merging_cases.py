"""Short ways to set up a merge and to say what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import permutations
from typing import Any

from django.db.models import Model

from accounts.models import User
from learning_records.models import Course, Enrollment
from linking.models import Link, LinkGroup, Membership
from linking.models import Pair as Linked
from merging import services
from merging.handlers import Change
from merging.models import Merge
from merging.plan import Plan
from tests.factories import EnrollmentFactory, SuperadminFactory, UserFactory, at


@dataclass
class Pair:
    """A source, a destination, and somebody who may merge them."""

    actor: User
    source: User
    destination: User

    @classmethod
    def make(cls) -> Pair:
        return cls(SuperadminFactory.create(), UserFactory.create(), UserFactory.create())

    def question(self, policy: str = "best_record", **more: Any) -> dict[str, Any]:
        ids = {"source_id": self.source.pk, "destination_id": self.destination.pk}
        return {"actor": self.actor, **ids, "policy": policy, **more}

    def preview(self, policy: str = "best_record", **more: Any) -> Plan:
        return services.preview(**self.question(policy, **more))

    def merge(self, policy: str = "best_record", **more: Any) -> Merge:
        return services.request_merge(**self.question(policy, **more))

    def undo(self, merge: Merge) -> Merge:
        return services.undo_merge(actor=self.actor, merge_id=merge.pk, reason="a mistake")


def enroll(user: User, course: Course, status: str, **facts: Any) -> Enrollment:
    """An enrollment; a completed one has a date unless one is given."""
    if status == "completed":
        facts.setdefault("completed_at", at(2025))
        facts.setdefault("progress", 100)
    return EnrollmentFactory.create(user=user, course=course, status=status, **facts)


def link_up(*people: User) -> None:
    """Make them one link group since 2020, with all its work done."""
    group = LinkGroup.objects.create()
    link = Link.objects.create(account=people[0], other=people[1])
    Membership.objects.bulk_create([Membership(user=person, group=group) for person in people])
    facts = {"link": link, "linked_at": at(2020), "finished_at": at(2020)}
    both_ways = permutations(people, 2)
    Linked.objects.bulk_create([Linked(account=one, counterpart=other, **facts) for one, other in both_ways])


def owner(row: Model, pair: Pair) -> str:
    """ "source" or "destination", as the database has it now."""
    row.refresh_from_db()
    return {pair.source.pk: "source", pair.destination.pk: "destination"}[row.user_id]  # type: ignore[attr-defined]


def outcomes(plan: Plan, section: str) -> dict[str, int]:
    """The section's outcomes that occur, with their numbers."""
    return {outcome: rows for outcome, rows in plan.counts()[section].items() if rows}


def changes(plan: Plan, section: str) -> list[Change]:
    return [step.action for step in plan.steps if step.section == section and isinstance(step.action, Change)]


def reasons(plan: Plan, section: str) -> list[str]:
    """Why: each reason once, in the order of the plan."""
    found: list[str] = []
    for step in plan.steps:
        if step.section == section:
            found += (
                [step.action.reason]
                if isinstance(step.action, Change)
                else [step.action.verdicts[name].reason for name in step.tally]
            )
    return list(dict.fromkeys(found))


def valid_until(row: Any) -> datetime | None:
    row.refresh_from_db()
    value: datetime | None = row.expires_at
    return value
