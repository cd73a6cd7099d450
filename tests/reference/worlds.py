"""Worlds from the database, and random ones for it."""

from __future__ import annotations

from typing import Any

from django.db.models import Model, QuerySet

from accounts.models import Alias, Branch, BranchMembership, ProfileField, ProfileValue, User
from commerce.models import Subscription, SubscriptionPlan, Transaction
from learning_records.models import (
    Certificate,
    Certification,
    CertificationAward,
    CompetencyAward,
    Enrollment,
    ExternalTraining,
    LearningPlanCourse,
    LearningPlanEnrollment,
    LearningRecord,
    MaterialTracking,
)
from rewards.models import BadgeAward, CoinEntry, PointEntry, RewardRequest
from tests.reference.question import Row, World

KINDS: dict[str, type[Model]] = {
    "users": User,
    "aliases": Alias,
    "branches": Branch,
    "branch_memberships": BranchMembership,
    "profile_fields": ProfileField,
    "profile_values": ProfileValue,
    "enrollments": Enrollment,
    "tracking": MaterialTracking,
    "learning_records": LearningRecord,
    "certificates": Certificate,
    "certifications": CertificationAward,
    "certification_rules": Certification,
    "competencies": CompetencyAward,
    "external_trainings": ExternalTraining,
    "learning_plans": LearningPlanEnrollment,
    "plan_courses": LearningPlanCourse,
    "badges": BadgeAward,
    "points": PointEntry,
    "coins": CoinEntry,
    "reward_requests": RewardRequest,
    "subscriptions": Subscription,
    "subscription_plans": SubscriptionPlan,
    "transactions": Transaction,
}
NEVER_BACK = "session_epoch"


def load() -> World:
    """All rows of every kind, as the database holds them."""
    world = {kind: [_plain(row) for row in _rows(model).values()] for kind, model in KINDS.items()}
    for rule in world["certification_rules"]:
        rule["courses"] = set(
            Certification.courses.through.objects.filter(certification=rule["id"]).values_list("course", flat=True)
        )
    for plan in world["subscription_plans"]:
        plan["branches"] = set(
            SubscriptionPlan.branches.through.objects.filter(plan=plan["id"]).values_list("branch", flat=True)
        )
    return world


def _rows(model: type[Model]) -> QuerySet[Any]:
    return model._base_manager.order_by("pk")


def _plain(row: Row) -> Row:
    row.pop(NEVER_BACK, None)
    return row


def differences(expected: World, found: World) -> list[str]:
    """Where the two worlds differ, row by row. Rows that were added are compared by the values that are expected."""
    lines: list[str] = []
    for kind, rows in expected.items():
        old = {row["id"]: row for row in rows if "id" in row}
        new = [row for row in rows if "id" not in row]
        there = {row["id"]: row for row in found[kind]}
        lines += [
            f"{kind} {pk}: expected {row}, found {there.get(pk)}" for pk, row in old.items() if there.get(pk) != row
        ]
        extra = [row for pk, row in there.items() if pk not in old]
        for row in new:
            match = next((other for other in extra if row.items() <= other.items()), None)
            lines += [] if match else [f"{kind}: expected also {row}"]
            extra = [other for other in extra if other is not match]
        lines += [f"{kind}: found also {row}" for row in extra]
    return lines
