"""Merging accounts that are linked, and undoing it."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import serializers

from accounts.models import User
from learning_records import services as learning
from learning_records.models import LearningRecord
from linking import services
from linking.models import Membership, Pair
from linking.tests.cast import differences, earn, equivalencies, issue, link, person
from merging import services as merging
from merging.errors import UndoRefused
from merging.models import Merge

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss() -> User:
    return person("boss", role="superadmin")


def merge(boss: User, source: User, destination: User, policy: str = "best_record") -> Merge:
    return merging.request_merge(actor=boss, source_id=source.pk, destination_id=destination.pk, policy=policy)


def undo(boss: User, done: Merge) -> None:
    merging.undo_merge(actor=boss, merge_id=done.pk, reason="mistake")


def snapshot() -> str:
    rows: list[Any] = []
    for model in (Membership, Pair, LearningRecord, User):
        rows += model.objects.order_by("pk")
    return str(serializers.serialize("json", rows))


def group(user: User) -> set[int]:
    found = services.group_of(user.pk)
    return {member.account.pk for member in found.members} if found else set()


@pytest.mark.covers("P.3")
def test_two_linked_accounts_merge_and_nobody_is_equivalent_to_themselves(boss: User) -> None:
    doe, smith = person("doe"), person("smith")
    link(doe, smith)
    records = {earn(doe).pk, earn(smith).pk}
    issue()
    before = snapshot()
    done = merge(boss, doe, smith)
    assert group(smith) == group(doe) == set()
    assert set(LearningRecord.objects.filter(user=smith, is_superseded=False).values_list("id", flat=True)) == records
    assert LearningRecord.objects.filter(user=smith, is_superseded=True).count() == 2
    assert issue() == 0
    assert differences() == []
    undo(boss, done)
    assert snapshot() == before
    issue()
    assert differences() == []


def test_what_a_third_account_holds_stays(boss: User) -> None:
    doe, smith, third = (person(name) for name in ("doe", "smith", "third"))
    link(doe, smith)
    link(smith, third)
    records = {earn(doe).pk, earn(smith).pk}
    issue()
    merge(boss, doe, smith)
    issue()
    assert equivalencies(third) == records
    assert group(smith) == group(third) == {smith.pk, third.pk}
    assert differences() == []
    new = earn(smith)
    of_third = earn(third)
    issue()
    assert equivalencies(third) == records | {new.pk}
    assert equivalencies(smith) == {of_third.pk}
    assert differences() == []


def test_the_destination_takes_the_place_of_a_linked_source(boss: User) -> None:
    doe, third, smith = (person(name) for name in ("doe", "third", "smith"))
    old = earn(smith)
    link(doe, third, generate=True)
    earned = earn(doe)
    issue()
    before = snapshot()
    done = merge(boss, doe, smith)
    assert group(smith) == group(third) == {smith.pk, third.pk}
    assert group(doe) == set()
    issue()
    assert equivalencies(third) == {earned.pk}, "the merge issues no equivalency for old records"
    assert LearningRecord.objects.get(pk=old.pk).user == smith
    assert differences() == []
    undo(boss, done)
    assert snapshot() == before
    issue()
    assert differences() == []


def test_new_records_of_the_destination_count_for_the_group_that_it_joined(boss: User) -> None:
    doe, third, smith = (person(name) for name in ("doe", "third", "smith"))
    link(doe, third)
    merge(boss, doe, smith)
    new, of_third = earn(smith), earn(third)
    issue()
    assert (equivalencies(third), equivalencies(smith)) == ({new.pk}, {of_third.pk})
    assert differences() == []


def test_what_was_owed_before_the_merge_is_issued_after_it(boss: User) -> None:
    doe, third, smith = (person(name) for name in ("doe", "third", "smith"))
    link(doe, third)
    record, of_third = earn(doe), earn(third)
    merge(boss, doe, smith)
    issue()
    assert (equivalencies(third), equivalencies(smith)) == ({record.pk}, {of_third.pk})
    assert differences() == []


def test_both_linked_elsewhere_unites_the_groups(boss: User) -> None:
    a, b, c, d = (person(name) for name in "abcd")
    link(a, b)
    link(c, d)
    earn(b)
    earn(d)
    issue()
    before = snapshot()
    plan = merging.preview(actor=boss, source_id=a.pk, destination_id=c.pk, policy="best_record")
    assert "link_groups_unite" in [notice.code for notice in plan.warnings]
    done = merge(boss, a, c)
    assert group(b) == group(c) == group(d) == {b.pk, c.pk, d.pk}
    issue()
    assert LearningRecord.objects.filter(origin="equivalency").count() == 2, "none for old records"
    assert differences() == []
    undo(boss, done)
    assert snapshot() == before
    issue()
    assert differences() == []


def test_links_made_since_on_the_ground_of_the_merge_forbid_its_undo(boss: User) -> None:
    doe, third, smith, later = (person(name) for name in ("doe", "third", "smith", "later"))
    link(doe, third)
    done = merge(boss, doe, smith)
    link(smith, later)
    with pytest.raises(UndoRefused) as refusal:
        undo(boss, done)
    assert refusal.value.code == "linked_since"


def test_links_that_have_nothing_to_do_with_the_merge_dont_forbid_its_undo(boss: User) -> None:
    doe, smith, later = (person(name) for name in ("doe", "smith", "later"))
    done = merge(boss, doe, smith)
    link(smith, later)
    undo(boss, done)
    assert group(smith) == {smith.pk, later.pk}


def test_undo_parts_what_the_merge_had_joined(boss: User) -> None:
    doe, third, smith = (person(name) for name in ("doe", "third", "smith"))
    link(doe, third)
    done = merge(boss, doe, smith)
    of_third, of_smith = earn(third), earn(smith)
    issue()
    undo(boss, done)
    issue()
    assert equivalencies(doe) == {of_third.pk}
    assert of_smith.user == smith, "work done after the merge stays where it is"
    assert equivalencies(third) == equivalencies(smith) == set(), "and counts for nobody else, as before the merge"
    assert differences() == []


def test_a_merged_account_that_is_still_active_yields_nothing_more(boss: User) -> None:
    doe, third, smith = (person(name) for name in ("doe", "third", "smith"))
    link(doe, third)
    merge(boss, doe, smith)
    record = earn(doe)
    issue()
    assert record.user == doe
    assert equivalencies(third) == set()
    assert differences() == []


def test_merging_twice_in_a_row_keeps_the_chain(boss: User) -> None:
    a, b, c, d = (person(name) for name in "abcd")
    link(a, d)
    record = earn(a)
    merge(boss, a, b)
    second = merge(boss, b, c)
    of_d = earn(d)
    issue()
    assert (equivalencies(d), equivalencies(c)) == ({record.pk}, {of_d.pk})
    assert differences() == []
    undo(boss, second)
    issue()
    assert group(b) == {b.pk, d.pk}
    assert differences() == []


def test_a_void_is_followed_after_a_merge(boss: User) -> None:
    doe, third, smith = (person(name) for name in ("doe", "third", "smith"))
    link(doe, third)
    record = earn(doe)
    issue()
    merge(boss, doe, smith)
    learning.void_record(record.pk, reason="mistake", actor_id=boss.pk)
    issue()
    assert LearningRecord.objects.get(user=third).voided_at is not None


def test_each_law_fires_on_a_seeded_break() -> None:
    doe, smith = person("doe"), person("smith")
    link(doe, smith)
    record = earn(doe)
    assert [break_.kind for break_ in differences()] == ["missing"]
    issue()
    equivalency = LearningRecord.objects.get(user=smith)
    LearningRecord.objects.filter(pk=equivalency.pk).update(expires_at="2030-01-01T00:00Z")
    assert [break_.kind for break_ in differences()] == ["unlike its origin"]
    LearningRecord.objects.filter(pk=equivalency.pk).update(expires_at=None)
    Pair.objects.all().delete()
    assert [(break_.kind, break_.record_id) for break_ in differences()] == [("surplus", record.pk)]
