"""What is owed, and that exactly this is issued."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from learning_records import services as learning
from learning_records.models import LearningRecord, PendingRecord
from linking import services
from linking.models import Pair
from linking.tests.cast import course, earn, equivalencies, issue, link, person

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def doe() -> User:
    return person("doe")


@pytest.fixture
def smith() -> User:
    return person("smith")


def last_year() -> timedelta:
    return 365 * DAY


@pytest.mark.covers("S0.2", "S0.3", "S0.5")
@pytest.mark.parametrize("first", [True, False])
def test_a_new_record_gives_the_other_account_an_equivalency(doe: User, smith: User, first: bool) -> None:
    link(doe, smith)
    earner, receiver = (doe, smith) if first else (smith, doe)
    now = timezone.now()
    record = earn(earner, completed_at=now - DAY, expires_at=now + DAY)
    assert issue() == 1
    equivalency = LearningRecord.objects.get(user=receiver)
    assert (equivalency.origin, equivalency.equivalent_of) == ("equivalency", record)
    assert (equivalency.course, equivalency.completed_at) == (record.course, record.completed_at)
    assert equivalency.expires_at == record.expires_at
    assert LearningRecord.objects.get(user=earner).origin == "earned"


@pytest.mark.covers("S0.4", "S0.35")
@pytest.mark.parametrize("who", range(4))
def test_every_linked_account_receives(who: int) -> None:
    people = [person(name) for name in "abcd"]
    for other in people[1:]:
        link(people[0], other)
    record = earn(people[who])
    assert issue() == 3
    assert [equivalencies(user) for user in people] == [set() if n == who else {record.pk} for n in range(4)]


@pytest.mark.covers("S0.16", "S0.17", "S0.18", "S0.22")
def test_old_valid_records_of_both_sides_count_when_asked_for(doe: User, smith: User) -> None:
    ends = timezone.now() + DAY
    of_doe, of_smith = earn(doe, expires_at=ends), earn(smith, expires_at=None)
    made = link(doe, smith, generate=True)
    assert made.owed == 2
    issue()
    assert (equivalencies(doe), equivalencies(smith)) == ({of_smith.pk}, {of_doe.pk})


@pytest.mark.covers("S0.19", "S0.20", "S0.21", "S0.23", "S0.24")
def test_exactly_the_valid_course_records_count(doe: User, smith: User) -> None:
    ended = timezone.now() - DAY
    valid = {earn(doe).pk, earn(doe, expires_at=timezone.now() + DAY).pk}
    earn(doe, expires_at=ended)
    learning.void_record(earn(doe).pk, reason="mistake", actor_id=None)
    earn(doe, kind="program")
    earn(doe, kind="activity")
    made = link(doe, smith, generate=True)
    issue()
    assert equivalencies(smith) == valid
    assert made.owed == 2


@pytest.mark.covers("S0.25", "S0.26")
def test_old_records_dont_count_unless_asked_for(doe: User, smith: User) -> None:
    earn(doe, completed_at=timezone.now() - last_year())
    earn(smith)
    link(doe, smith, generate=False)
    assert issue() == 0
    assert not LearningRecord.objects.filter(origin="equivalency").exists()


@pytest.mark.covers("S0.27")
def test_new_records_count_even_when_old_ones_dont(doe: User, smith: User) -> None:
    link(doe, smith, generate=False)
    next_year = earn(doe, completed_at=timezone.now() + last_year())
    issue()
    courses = [LearningRecord.objects.get(user=user).course for user in (doe, smith)]
    assert courses == [next_year.course, next_year.course]


def test_a_course_completed_long_ago_counts_when_its_record_comes_after_the_link(doe: User, smith: User) -> None:
    link(doe, smith, generate=False)
    record = earn(doe, completed_at=timezone.now() - last_year())
    issue()
    assert equivalencies(smith) == {record.pk}


@pytest.mark.covers("S0.29")
def test_the_link_is_made_before_its_equivalencies_are(doe: User, smith: User) -> None:
    earn(doe)
    made = link(doe, smith, generate=True)
    assert services.progress_of(made) == services.Progress("pending", 1, 0)
    assert equivalencies(smith) == set()
    issue()
    assert services.progress_of(made) == services.Progress("done", 1, 1)


@pytest.mark.covers("S0.39")
def test_an_equivalency_yields_no_other(doe: User, smith: User) -> None:
    link(doe, smith)
    record = earn(doe)
    issue()
    link(smith, person("third"), generate=True)
    issue()
    issue()
    assert equivalencies(doe) == set()
    rows = LearningRecord.objects.filter(origin="equivalency").values_list("equivalent_of", flat=True)
    assert list(rows) == [record.pk, record.pk]


@pytest.mark.covers("S0.40")
@pytest.mark.parametrize("kind", ["program", "activity"])
def test_programs_and_activities_never_count(doe: User, smith: User, kind: str) -> None:
    link(doe, smith, generate=True)
    earn(doe, kind=kind)
    assert issue() == 0
    assert not PendingRecord.objects.exists()


def test_completing_an_enrollment_counts(doe: User, smith: User) -> None:
    link(doe, smith)
    enrollment = learning.enroll(doe.pk, course().pk, actor_id=None)
    learning.update_enrollment(enrollment.pk, {"status": "completed"}, actor_id=None)
    assert issue() == 1
    learning.void_enrollment(enrollment.pk, reason="mistake", actor_id=None)
    issue()
    assert LearningRecord.objects.get(user=smith).voided_at is not None


def validity(user: User) -> tuple[object, object, object]:
    """Of the one record that this account holds."""
    row = LearningRecord.objects.get(user=user)
    return row.voided_at, row.void_reason, row.expires_at


def test_voids_restores_and_expiries_are_followed(doe: User, smith: User) -> None:
    link(doe, smith)
    record = earn(doe)
    issue()
    changes: list[Callable[[], object]] = [
        lambda: learning.void_record(record.pk, reason="mistake", actor_id=None),
        lambda: learning.restore_record(record.pk, actor_id=None),
        lambda: learning.change_expiry(record.pk, expires_at=timezone.now() + DAY, actor_id=None),
    ]
    seen = []
    for change in changes:
        change()
        issue()
        assert validity(smith) == validity(doe)
        seen.append([value not in (None, "") for value in validity(smith)])
    assert seen == [[True, True, False], [False, True, False], [False, True, True]]  # why it was voided stays known


def test_restoring_a_record_that_was_void_at_the_link_yields_nothing(doe: User, smith: User) -> None:
    record = earn(doe)
    learning.void_record(record.pk, reason="mistake", actor_id=None)
    link(doe, smith, generate=True)
    learning.restore_record(record.pk, actor_id=None)
    issue()
    assert equivalencies(smith) == set()


def test_a_record_voided_after_the_link_is_owed_as_void(doe: User, smith: User) -> None:
    record = earn(doe)
    link(doe, smith, generate=True)
    learning.void_record(record.pk, reason="mistake", actor_id=None)
    issue()
    assert LearningRecord.objects.get(user=smith).voided_at is not None
    learning.restore_record(record.pk, actor_id=None)
    issue()
    assert LearningRecord.objects.get(user=smith).voided_at is None


def test_prolonging_a_record_that_had_expired_at_the_link_yields_nothing(doe: User, smith: User) -> None:
    record = earn(doe, expires_at=timezone.now() - DAY)
    link(doe, smith, generate=True)
    learning.change_expiry(record.pk, expires_at=None, actor_id=None)
    issue()
    assert equivalencies(smith) == set()


def test_shortening_a_record_that_was_valid_at_the_link_keeps_what_it_yields(doe: User, smith: User) -> None:
    record = earn(doe)
    link(doe, smith, generate=True)
    learning.change_expiry(record.pk, expires_at=timezone.now() - DAY, actor_id=None)
    issue()
    assert equivalencies(smith) == {record.pk}


@pytest.mark.parametrize(("status", "receives"), [("inactive", True), ("deleted", False)])
def test_deactivated_accounts_receive_and_deleted_ones_dont(
    doe: User, smith: User, status: str, receives: bool
) -> None:
    old = earn(doe)
    link(doe, smith, generate=True)
    User.objects.filter(pk=smith.pk).update(status=status)
    new = earn(doe)
    issue()
    assert equivalencies(smith) == ({old.pk, new.pk} if receives else set())


def test_issuing_again_gives_nothing(doe: User, smith: User) -> None:
    earn(doe)
    link(doe, smith, generate=True)
    assert issue() == 1
    Pair.objects.update(finished_at=None, scanned_to=0)
    PendingRecord.objects.bulk_create([PendingRecord(record=record) for record in LearningRecord.objects.all()])
    assert issue() == 0


def test_many_records_are_scanned_in_batches(doe: User, smith: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("linking.services.generation.OF_ONE_PAIR", 7)
    of = course()
    for _ in range(20):
        earn(doe, of)
    link(doe, smith, generate=True)
    assert issue() == 20
    assert not Pair.objects.filter(finished_at=None).exists()


def test_accounts_of_three_links_are_scanned_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each pair gets as far as it got, whatever the other pairs of its account do."""
    monkeypatch.setattr("linking.services.generation.OF_ONE_PAIR", 3)
    monkeypatch.setattr("linking.services.generation.PAIRS", 2)
    a, b, c, of = person("a"), person("b"), person("c"), course()
    old = {user: {earn(user, of).pk for _ in range(count)} for user, count in ((a, 8), (b, 3), (c, 0))}
    link(a, b, generate=True)
    link(c, a, generate=True)
    assert issue() == 8 + 3 + 8 + 3
    assert equivalencies(a) == old[b]
    assert equivalencies(b) == old[a]
    assert equivalencies(c) == old[a] | old[b]
    assert not Pair.objects.filter(finished_at=None).exists()


def test_a_record_that_committed_during_the_link_is_not_missed(
    doe: User, smith: User, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    """Its outbox row was handled before the link could be seen; the scan of the pair finds it."""
    link(doe, smith, generate=False)
    record = earn(doe)
    PendingRecord.objects.all().delete()
    issue()
    assert equivalencies(smith) == {record.pk}
