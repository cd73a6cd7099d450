"""Random histories of accounts: merges, undos, new records, deactivations; after each step all laws hold."""

from __future__ import annotations

import os
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from accounts.models import User
from learning_records.models import Course, Enrollment
from lms.laws import verify
from merging import services
from merging.errors import MergeError
from merging.models import Merge
from tests import factories

HISTORIES = max(12, int(os.environ.get("FUZZ_EXAMPLES", "0")) // 50)
STEPS = 10
people = st.integers(0, 3)
STATUSES = st.sampled_from(["waiting", "enrolled", "in_progress", "completed"])


class Histories(RuleBasedStateMachine):
    """Four accounts of one portal. What is refused must leave everything as it was."""

    def __init__(self) -> None:
        super().__init__()
        self.block = transaction.atomic()
        self.block.__enter__()
        self.actor = factories.SuperadminFactory.create()
        self.people: list[User] = factories.UserFactory.create_batch(4)
        self.courses: list[Course] = factories.CourseFactory.create_batch(2)
        certify = {"courses": self.courses[:1], "validity_days": 365, "renewal_window_days": 90}
        factories.CertificationFactory.create(**certify)
        self.badge = factories.BadgeFactory.create()
        self.merges: list[int] = []
        self.refusals: list[str] = []

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.block.__exit__(None, None, None)

    def try_to(self, act: Any, **facts: Any) -> Any:
        try:
            return act(actor=self.actor, **facts)
        except MergeError as refusal:
            self.refusals.append(refusal.code)
            return None

    @rule(one=people, other=people, policy=st.sampled_from(["best_record", "keep_primary"]), off=st.booleans())
    def merge(self, one: int, other: int, policy: str, off: bool) -> None:
        choices = {"enrollments": {"merge": not off}} if policy == "best_record" else None
        asked_at = timezone.now()
        ids = {"source_id": self.people[one].pk, "destination_id": self.people[other].pk}
        done = self.try_to(services.request_merge, **ids, policy=policy, choices=choices)
        if done:  # here all is one transaction, for which the database's clock stands still
            Merge.objects.filter(pk=done.pk).update(requested_at=asked_at)
            self.merges.append(done.pk)

    @rule(which=st.integers(0, 5))
    def undo(self, which: int) -> None:
        if which < len(self.merges):
            self.try_to(services.undo_merge, merge_id=self.merges[-1 - which], reason="")

    @rule(who=people, course=st.integers(0, 1), status=STATUSES, score=st.sampled_from([None, 50, 90]))
    def enroll(self, who: int, course: int, status: str, score: int | None) -> None:
        """As a door does: nothing lands on an account that was merged and is inactive."""
        user, there = self.survivor(who), self.courses[course]
        if not Enrollment.objects.current().filter(user=user, course=there).exists():
            when = factories.at(2025) if status == "completed" else None
            Enrollment.objects.create(
                user=user, course=there, status=status, score=score, completed_at=when, created_at=timezone.now()
            )

    @rule(who=people, points=st.integers(1, 50))
    def book(self, who: int, points: int) -> None:
        user = self.survivor(who)
        facts = {"user": user, "created_at": timezone.now()}
        factories.PointEntryFactory.create(**facts, amount=points)
        factories.LearningRecordFactory.create(**facts, course=self.courses[0])

    @rule(who=people)
    def award(self, who: int) -> None:
        user = self.survivor(who)
        if not user.badge_awards.filter(is_superseded=False).exists():
            factories.BadgeAwardFactory.create(user=user, badge=self.badge, created_at=timezone.now())

    @rule(who=people, status=st.sampled_from(["active", "inactive"]))
    def set_status(self, who: int, status: str) -> None:
        User.objects.filter(pk=self.people[who].pk).update(status=status)

    def survivor(self, who: int) -> User:
        user: User = User.objects.get(pk=self.people[who].pk)
        return user.survivor() if user.merged_into and user.status == "inactive" else user

    @invariant()
    def all_laws_hold(self) -> None:
        assert [str(breach) for breach in verify()] == []

    @invariant()
    def nothing_is_done_twice(self) -> None:
        live = Merge.objects.filter(status="done", follows=None).values_list("source_id", flat=True)
        assert len(live) == len(set(live))


@pytest.mark.django_db
@pytest.mark.timeout(300 + HISTORIES * 60)
def test_all_laws_hold_after_random_histories() -> None:
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=HISTORIES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
