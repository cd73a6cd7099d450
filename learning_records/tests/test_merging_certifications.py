"""What a merge does to certifications: those from courses are computed anew, those from external training move."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from learning_records.models import Certification, CertificationAward, Course, ExternalTraining
from tests.factories import CertificationAwardFactory, CertificationFactory, CourseFactory, ExternalTrainingFactory, at
from tests.merging_cases import Pair, changes, enroll, outcomes, owner, reasons

pytestmark = pytest.mark.django_db
OFF = {"enrollments": {"merge": False}}
YEAR = timedelta(days=365)


def a_certification(**facts: Any) -> tuple[Course, Certification]:
    """A course that certifies for a year; renewal is open in the last 60 days."""
    course = CourseFactory.create()
    facts = {"validity_days": 365, "renewal_window_days": 60, "courses": [course], **facts}
    return course, CertificationFactory.create(**facts)


def active(pair: Pair, certification: Certification) -> CertificationAward:
    return CertificationAward.objects.get(user=pair.destination, certification=certification, is_active=True)


# what the destination holds (its end), when the source's course was completed, late renewal:
# issued, renewed, end, how many awards afterwards
TABLE: dict[str, tuple[datetime | None, datetime, bool, tuple[datetime, datetime | None, datetime], int]] = {
    "doesn't hold it: added, dated by the completion": (
        None,
        at(2026, 3),
        False,
        (at(2026, 3), None, at(2026, 3) + YEAR),
        1,
    ),
    "doesn't hold it, expired by that date: added as expired": (
        None,
        at(2020),
        False,
        (at(2020), None, at(2020) + YEAR),
        1,
    ),
    "holds it, not in its renewal window: nothing": (at(2026), at(2025, 6), False, (at(2025), None, at(2026)), 1),
    "holds it, in its renewal window: renewed": (
        at(2026),
        at(2025, 12),
        False,
        (at(2025), at(2025, 12), at(2025, 12) + YEAR),
        1,
    ),
    "expired, late renewal: renewed": (at(2026), at(2026, 2), True, (at(2025), at(2026, 2), at(2026, 2) + YEAR), 1),
    "expired, no late renewal: added": (at(2026), at(2026, 2), False, (at(2026, 2), None, at(2026, 2) + YEAR), 2),
}


@pytest.mark.covers("S3.54", "S3.55", "S3.56", "S3.57", "S3.58", "P.2")
@pytest.mark.parametrize("policy", ["best_record", "keep_primary"])
@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE.keys())
def test_a_completion_counts_by_its_own_date(row: Any, policy: str) -> None:
    ends, completed_at, late_renewal, expected, awards = row
    pair = Pair.make()
    course, certification = a_certification(late_renewal=late_renewal)
    if ends:
        CertificationAwardFactory.create(user=pair.destination, certification=certification, expires_at=ends)
    enroll(pair.source, course, "completed", completed_at=completed_at)
    pair.merge(policy)
    award = active(pair, certification)
    assert (award.issued_at, award.renewed_at, award.expires_at) == expected
    assert CertificationAward.objects.filter(user=pair.destination).count() == awards


def test_a_voided_completion_counts_for_nothing_beside_one_that_counts() -> None:
    pair = Pair.make()
    (counted, given), (voided, not_given) = a_certification(), a_certification()
    enroll(pair.source, counted, "completed")
    enroll(pair.source, voided, "completed", voided_at=at(2025, 6))
    pair.merge()
    assert active(pair, given).source == "course"
    assert not CertificationAward.objects.filter(certification=not_given).exists()


def test_a_renewal_never_shortens() -> None:
    pair = Pair.make()
    course, certification = a_certification(validity_days=10, renewal_window_days=60)
    held = CertificationAwardFactory.create(user=pair.destination, certification=certification, expires_at=at(2026))
    enroll(pair.source, course, "completed", completed_at=at(2025, 12))
    assert changes(pair.preview(), "certifications") == []
    pair.merge()
    assert active(pair, certification) == held
    assert active(pair, certification).expires_at == at(2026)


def test_one_that_never_ends_is_left_alone() -> None:
    pair = Pair.make()
    course, certification = a_certification()
    CertificationAwardFactory.create(user=pair.destination, certification=certification, expires_at=None)
    enroll(pair.source, course, "completed", completed_at=at(2026))
    assert outcomes(pair.preview(), "certifications") == {}


def test_an_expired_one_that_is_replaced_stays_visible_as_history() -> None:
    pair = Pair.make()
    course, certification = a_certification()
    old = CertificationAwardFactory.create(user=pair.destination, certification=certification, expires_at=at(2025, 6))
    enroll(pair.source, course, "completed", completed_at=at(2026))
    plan = pair.preview()
    assert outcomes(plan, "certifications") == {"superseded": 1, "added": 1}
    merge = pair.merge()
    assert (owner(old, pair), old.is_active) == ("destination", False)
    pair.undo(merge)
    old.refresh_from_db()
    assert old.is_active
    assert CertificationAward.objects.count() == 1


@pytest.mark.covers("S3.59")
@pytest.mark.parametrize(
    ("source", "destination"),
    [
        ({"status": "in_progress", "progress": 90}, None),
        ({"status": "completed", "voided_at": at(2025, 6)}, None),
        ({"status": "completed", "score": 10}, {"status": "completed", "score": 90}),
    ],
    ids=["not completed", "voided", "the destination's record stays current"],
)
def test_other_records_trigger_nothing(source: dict[str, Any], destination: dict[str, Any] | None) -> None:
    pair = Pair.make()
    course, _ = a_certification()
    enroll(pair.source, course, **source)
    if destination:
        enroll(pair.destination, course, **destination)
    pair.merge()
    assert not CertificationAward.objects.exists()


def test_a_better_completed_record_counts_too() -> None:
    pair = Pair.make()
    course, certification = a_certification()
    enroll(pair.source, course, "completed", score=90, completed_at=at(2025, 3))
    enroll(pair.destination, course, "completed", score=10, completed_at=at(2025, 9))
    pair.merge()
    assert active(pair, certification).issued_at == at(2025, 3)


def test_completions_of_one_certification_count_in_the_order_of_their_dates() -> None:
    pair, courses = Pair.make(), CourseFactory.create_batch(3)
    certification = CertificationFactory.create(validity_days=365, renewal_window_days=60, courses=courses)
    for course, when in zip(courses, (at(2025, 12), at(2025), at(2025, 6)), strict=True):
        enroll(pair.source, course, "completed", completed_at=when)
    pair.merge()
    award = active(pair, certification)
    assert (award.issued_at, award.renewed_at, award.expires_at) == (at(2025), at(2025, 12), at(2025, 12) + YEAR)


@pytest.mark.covers("S3.53")
@pytest.mark.parametrize("policy", ["best_record", "keep_primary"])
def test_those_from_courses_are_not_moved(policy: str) -> None:
    pair = Pair.make()
    award = CertificationAwardFactory.create(user=pair.source)
    assert outcomes(pair.preview(policy), "certifications") == {"stays": 1}
    pair.merge(policy)
    assert owner(award, pair) == "source"
    assert CertificationAward.objects.get() == award


def test_with_enrollments_off_nothing_is_computed() -> None:
    pair = Pair.make()
    course, _ = a_certification()
    enroll(pair.source, course, "completed")
    enroll(pair.destination, course, "enrolled")
    pair.merge(choices=OFF)
    assert not CertificationAward.objects.exists()


def external(user: Any, certification: Certification, expires_at: datetime | None) -> CertificationAward:
    training = ExternalTrainingFactory.create(user=user, certification=certification, expires_at=expires_at)
    facts = {"user": user, "certification": certification, "expires_at": expires_at}
    return CertificationAwardFactory.create(source="external", external_training=training, **facts)


ENDS: dict[str, tuple[datetime | None, datetime | None, str]] = {
    "2026 | 2027": (at(2026), at(2027), "source"),
    "2027 | 2026": (at(2027), at(2026), "destination"),
    "2027 | never": (at(2027), None, "source"),
    "never | 2027": (None, at(2027), "destination"),
    "equal": (at(2027), at(2027), "destination"),
}


@pytest.mark.covers("S3.61", "S3.62", "P.2")
@pytest.mark.parametrize("policy", ["best_record", "keep_primary"])
@pytest.mark.parametrize("row", ENDS.values(), ids=ENDS.keys())
def test_of_two_external_ones_the_later_end_stays_active(row: Any, policy: str) -> None:
    pair, certification = Pair.make(), CertificationFactory.create()
    own, theirs = external(pair.destination, certification, row[0]), external(pair.source, certification, row[1])
    pair.merge(policy)
    assert owner(own, pair) == owner(theirs, pair) == "destination"
    assert ExternalTraining.objects.filter(user=pair.destination).count() == 2
    assert (own.is_active, theirs.is_active) == (row[2] == "destination", row[2] == "source")


@pytest.mark.covers("S3.60")
@pytest.mark.parametrize("choices", [None, OFF], ids=["on", "off"])
def test_an_external_one_comes_along_with_its_training(choices: Any) -> None:
    pair = Pair.make()
    award = external(pair.source, CertificationFactory.create(), at(2027))
    pair.merge(choices=choices)
    assert owner(award, pair) == "destination"
    assert (award.is_active, award.expires_at) == (True, at(2027))


def test_an_external_one_that_arrives_counts_as_held_when_courses_are_computed() -> None:
    pair = Pair.make()
    course, certification = a_certification()
    held = external(pair.source, certification, at(2030))
    enroll(pair.source, course, "completed", completed_at=at(2025))
    pair.merge()
    assert active(pair, certification) == held
    assert active(pair, certification).expires_at == at(2030)


def test_an_expired_external_one_that_arrives_is_replaced() -> None:
    pair = Pair.make()
    course, certification = a_certification()
    held = external(pair.source, certification, at(2024))
    enroll(pair.source, course, "completed", completed_at=at(2025))
    merge = pair.merge()
    assert active(pair, certification).issued_at == at(2025)
    assert (owner(held, pair), held.is_active) == ("destination", False)
    pair.undo(merge)
    assert (owner(held, pair), held.is_active) == ("source", True)


@pytest.mark.covers("P.4")
def test_the_review_says_why() -> None:
    pair = Pair.make()
    course, certification = a_certification()
    CertificationAwardFactory.create(user=pair.source, certification=certification)
    enroll(pair.source, course, "completed")
    told = reasons(pair.preview(), "certifications")
    assert told[0].startswith("certifications from courses don't move")
    assert told[1] == "earned by a course that the merge brings"
