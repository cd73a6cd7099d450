"""Many at once: unions of groups, records that arrive meanwhile, merges, several workers."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Timer

import pytest
from django.db import connection, transaction

from accounts.models import User
from learning_records import services as learning
from learning_records.models import Course, LearningRecord, PendingRecord
from linking import services
from linking.errors import LinkRefused
from linking.models import Membership, Pair
from linking.tests.cast import course, differences, earn, equivalencies, link, person
from merging import services as merging
from merging.errors import MergeError

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*acts: Callable[[], object]) -> list[object]:
    """Run all in threads of their own, each with its own connection; what they answered."""

    def run(act: Callable[[], object]) -> object:
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def linking(one: User, other: User, *, generate: bool = True) -> Callable[[], object]:
    def act() -> object:
        try:
            return link(one, other, generate=generate)
        except (LinkRefused, AssertionError):
            return None

    return act


def classes() -> list[set[int]]:
    found: dict[int, set[int]] = {}
    for user, group in Membership.objects.exclude(group=None).values_list("user_id", "group_id"):
        found.setdefault(group, set()).add(user)
    return sorted(found.values(), key=min)


def pairs() -> set[tuple[int, int]]:
    return set(Pair.objects.values_list("account_id", "counterpart_id"))


@pytest.mark.parametrize("attempt", range(5))
def test_unions_at_once_end_in_one_group(attempt: int) -> None:
    people = [person(f"p{n}") for n in range(6)]
    a, b, c, d, e, f = people
    at_once(linking(a, b), linking(c, d), linking(b, c), linking(d, e), linking(f, a), linking(e, f))
    assert classes() == [{user.pk for user in people}]
    assert pairs() == {(one.pk, other.pk) for one in people for other in people if one != other}


def test_both_link_each_other_at_once() -> None:
    a, b = person("a"), person("b")
    at_once(*[linking(a, b), linking(b, a)] * 3)
    assert classes() == [{a.pk, b.pk}]
    assert Pair.objects.count() == 2


def test_the_limit_holds_when_two_groups_race(settings: object) -> None:
    settings.LINK_GROUP_LIMIT = 3  # type: ignore[attr-defined]
    a, b, c, d = (person(name) for name in "abcd")
    link(a, b)
    at_once(linking(a, c), linking(b, d))
    assert [len(group) for group in classes()] == [3]


def busy_life(people: Sequence[User], courses: Sequence[Course], seed: int) -> Callable[[], object]:
    """One stream of records, voids, restores and expiries."""
    chance = random.Random(seed)

    def act() -> None:
        mine: list[int] = []
        for _ in range(12):
            if mine and chance.random() < 0.4:
                record = LearningRecord.objects.get(pk=chance.choice(mine))
                change = learning.restore_record if record.voided_at else learning.void_record
                change(record.pk, reason="because", actor_id=None)
            else:
                mine.append(earn(chance.choice(people), chance.choice(courses)).pk)

    return act


def worker(rounds: int = 15) -> Callable[[], object]:
    def act() -> int:
        return sum(services.issue_owed(seconds=5) for _ in range(rounds))

    return act


@pytest.mark.parametrize("seed", range(3))
def test_records_links_and_workers_at_once_leave_nothing_owed_and_nothing_doubled(seed: int) -> None:
    people = [person(f"p{n}") for n in range(5)]
    courses = [course(f"course {n}") for n in range(3)]
    for user in people:
        earn(user, courses[0])
    a, b, c, d, e = people
    at_once(
        busy_life(people, courses, seed),
        busy_life(people, courses, seed + 100),
        worker(),
        worker(),
        linking(a, b),
        linking(c, d, generate=False),
        linking(b, c),
        linking(d, e),
    )
    services.issue_owed()
    assert differences() == []
    assert not PendingRecord.objects.exists()
    assert not Pair.objects.filter(finished_at=None).exists()


@pytest.mark.parametrize("seed", range(3))
def test_merges_and_their_undo_beside_workers_keep_what_is_owed(seed: int) -> None:
    boss = person("boss", role="superadmin")
    people = [person(f"p{n}") for n in range(4)]
    courses = [course(f"course {n}") for n in range(3)]
    a, b, c, d = people
    link(a, b)
    link(c, d)

    def merge_and_undo() -> None:
        for _ in range(2):
            try:
                done = merging.request_merge(
                    actor=boss, source_id=a.pk, destination_id=c.pk, policy="keep_primary", choices=None
                )
                merging.undo_merge(actor=boss, merge_id=done.pk, reason="mistake")
                User.objects.filter(pk=a.pk).update(status="active")
            except MergeError:
                continue

    at_once(merge_and_undo, busy_life(people, courses, seed), busy_life(people, courses, seed + 50), worker(), worker())
    services.issue_owed()
    assert differences() == []
    assert not PendingRecord.objects.exists()


@pytest.mark.parametrize("records", [1, 3])
@pytest.mark.parametrize("found_by", ["the outbox", "the scan"])
def test_a_void_that_began_before_the_link_and_ends_after_it_is_waited_for(
    records: int, found_by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever didn't hold the record would take it for valid at the link."""
    monkeypatch.setattr("linking.services.generation.OF_ONE_PAIR", 2)
    a, b, of = person("a"), person("b"), course()
    *valid, void = [earn(a, of).pk for _ in range(records)]
    if found_by == "the scan":
        services.issue_owed()
    has_begun, may_end = Event(), Event()

    def void_slowly() -> None:
        with transaction.atomic():
            learning.void_record(void, reason="mistake", actor_id=None)
            has_begun.set()
            assert may_end.wait(20)

    def link_and_issue() -> None:
        assert has_begun.wait(20)
        link(a, b, generate=True)
        Timer(0.3, may_end.set).start()
        services.issue_owed()

    at_once(void_slowly, link_and_issue)
    services.issue_owed()
    assert equivalencies(b) == set(valid)
    assert differences() == []
