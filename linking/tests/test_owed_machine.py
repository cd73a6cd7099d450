"""Any order of links, records, voids, restores, expiries, merges and undos, against a small model in Python."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from accounts.models import User
from learning_records import services as learning
from learning_records.models import LearningRecord
from linking.tests.cast import course, differences, earn, issue, link, person
from merging import services as merging
from merging.models import Merge

PEOPLE = 5
people = st.integers(0, PEOPLE - 1)
any_record = st.integers(0, 10_000)


@dataclass
class Record:
    """What the model knows of a record: who received it, who holds it, whether it counts."""

    id: int
    owner: int
    received_by: int
    kind: str
    is_void: bool = False
    has_expired: bool = False
    owed_to: set[int] = field(default_factory=set)

    @property
    def is_valid(self) -> bool:
        return not self.is_void and not self.has_expired


@dataclass
class Model:
    """Groups and records as the rules tell them, in a few lines."""

    groups: list[set[int]] = field(default_factory=lambda: [{n} for n in range(PEOPLE)])
    records: list[Record] = field(default_factory=list)
    merged: dict[int, int] = field(default_factory=dict)

    def group(self, who: int) -> set[int]:
        return next(group for group in self.groups if who in group)

    def receive(self, record: Record) -> None:
        self.records.append(record)
        if record.kind == "course":
            record.owed_to = self.group(record.owner) - {record.owner}

    def link(self, one: int, other: int, *, generate: bool) -> None:
        ours, theirs = self.group(one), self.group(other)
        if ours is theirs:
            return
        for record in self.records:
            if generate and record.kind == "course" and record.is_valid:
                if record.owner in ours:
                    record.owed_to |= theirs
                elif record.owner in theirs:
                    record.owed_to |= ours
        self.groups = [group for group in self.groups if group is not ours and group is not theirs] + [ours | theirs]

    def merge(self, source: int, destination: int) -> None:
        self.merged[source] = destination
        ours, theirs = self.group(source), self.group(destination)
        if ours is not theirs:
            self.groups = [g for g in self.groups if g is not ours and g is not theirs] + [ours | theirs]
        self.group(source).discard(source)
        for record in self.records:
            if record.owner == source:
                record.owner = destination
            if source in record.owed_to:
                record.owed_to = record.owed_to - {source} | {destination}
            record.owed_to.discard(record.owner)


class Machine(RuleBasedStateMachine):
    """Acts on the database and on the model; what is owed must be the same whenever the queue is empty."""

    def __init__(self) -> None:
        super().__init__()
        self.block = transaction.atomic()
        self.block.__enter__()
        self.boss = person("boss", role="superadmin")
        self.users = [person(f"p{n}") for n in range(PEOPLE)]
        self.course = course()
        self.model = Model()

    def teardown(self) -> None:
        self.work()
        transaction.set_rollback(True)
        self.block.__exit__(None, None, None)

    def is_alive(self, *who: int) -> bool:
        return not any(one in self.model.merged for one in who)

    @rule(who=people, kind=st.sampled_from(["course", "course", "course", "program"]), expired=st.booleans())
    def receive(self, who: int, kind: str, expired: bool) -> None:
        if self.is_alive(who):
            ends = timezone.now() - timedelta(days=1) if expired else None
            row = earn(self.users[who], self.course, kind=kind, expires_at=ends)
            self.model.receive(Record(row.pk, who, who, kind, has_expired=expired))

    @rule(one=people, other=people, generate=st.booleans())
    def link(self, one: int, other: int, generate: bool) -> None:
        if one != other and self.is_alive(one, other):
            link(self.users[one], self.users[other], generate=generate)
            self.model.link(one, other, generate=generate)

    @precondition(lambda self: self.model.records)
    @rule(which=any_record)
    def void_or_restore(self, which: int) -> None:
        record = self.model.records[which % len(self.model.records)]
        change: Callable[..., Any] = learning.restore_record if record.is_void else learning.void_record
        change(record.id, reason="because", actor_id=None)
        record.is_void = not record.is_void

    @precondition(lambda self: self.model.records)
    @rule(which=any_record)
    def prolong_or_shorten(self, which: int) -> None:
        record = self.model.records[which % len(self.model.records)]
        ends = None if record.has_expired else timezone.now() - timedelta(days=1)
        learning.change_expiry(record.id, expires_at=ends, actor_id=None)
        record.has_expired = not record.has_expired

    @rule(one=people, other=people)
    def merge(self, one: int, other: int) -> None:
        if one != other and self.is_alive(one, other):
            self._merge(one, other)
            self.model.merge(one, other)

    @rule(one=people, other=people)
    def merge_and_undo(self, one: int, other: int) -> None:
        """Nothing happened in between, so nothing may differ afterwards."""
        if one != other and self.is_alive(one, other):
            done = self._merge(one, other)
            issue()
            merging.undo_merge(actor=self.boss, merge_id=done.pk, reason="mistake")

    def _merge(self, one: int, other: int) -> Merge:
        source, destination = self.users[one].pk, self.users[other].pk
        return merging.request_merge(
            actor=self.boss, source_id=source, destination_id=destination, policy="keep_primary"
        )

    @rule()
    def work(self) -> None:
        issue()
        self.compare()

    def compare(self) -> None:
        ids = [user.pk for user in self.users]
        rows = LearningRecord.objects.filter(origin="equivalency", is_superseded=False, user__in=ids)
        found = sorted(rows.values_list("equivalent_of", "user"))
        owed = sorted((record.id, ids[who]) for record in self.model.records for who in record.owed_to)
        assert found == owed
        assert differences() == []
        void = {record.id for record in self.model.records if record.is_void}
        assert {row.equivalent_of_id for row in rows if row.voided_at} <= void
        assert all(row.voided_at for row in rows if row.equivalent_of_id in void)


@pytest.mark.django_db
@pytest.mark.timeout(1800)
def test_what_exists_is_what_the_rules_owe_after_any_history() -> None:
    examples = int(os.environ.get("FUZZ_EXAMPLES", "10"))
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert not User.objects.exists()
