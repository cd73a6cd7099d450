"""What a merge does to learning records and learning plans."""

import pytest

from learning_records.models import LearningPlanEnrollment, LearningRecord
from tests.factories import (
    CourseFactory,
    LearningPlanEnrollmentFactory,
    LearningPlanFactory,
    LearningRecordFactory,
    UserFactory,
)
from tests.merging_cases import Pair, enroll, link_up, outcomes, owner, reasons

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("policy", ["best_record", "keep_primary"])
def test_records_are_evidence_so_all_move(policy: str) -> None:
    pair, course = Pair.make(), CourseFactory.create()
    own = LearningRecordFactory.create(user=pair.destination, course=course)
    theirs = LearningRecordFactory.create(user=pair.source, course=course)
    program = LearningRecordFactory.create(user=pair.source, kind="program", course=None, title="Leadership")
    merge = pair.merge(policy)
    assert {owner(row, pair) for row in (own, theirs, program)} == {"destination"}
    assert not LearningRecord.objects.filter(is_superseded=True).exists()
    assert (own.merged_from, theirs.merged_from) == (None, pair.source)
    pair.undo(merge)
    assert owner(theirs, pair) == "source"
    assert theirs.merged_from is None


def equivalency(record: LearningRecord, user: object) -> LearningRecord:
    return LearningRecordFactory.create(user=user, course=record.course, origin="equivalency", equivalent_of=record)


def test_nobody_is_equivalent_to_themselves() -> None:
    pair, third = Pair.make(), UserFactory.create()
    link_up(pair.source, pair.destination, third)
    theirs, own = LearningRecordFactory.create(user=pair.source), LearningRecordFactory.create(user=pair.destination)
    from_own, from_theirs = equivalency(own, pair.source), equivalency(theirs, pair.destination)
    elsewhere = equivalency(theirs, third)
    merge = pair.merge()
    assert owner(from_own, pair) == owner(from_theirs, pair) == "destination"
    assert (from_own.is_superseded, from_theirs.is_superseded) == (True, True)
    elsewhere.refresh_from_db()
    assert (elsewhere.user, elsewhere.is_superseded) == (third, False)
    pair.undo(merge)
    assert (owner(from_own, pair), owner(from_theirs, pair)) == ("source", "destination")
    assert (from_own.is_superseded, from_theirs.is_superseded) == (False, False)


def test_a_second_equivalency_of_one_record_is_superseded() -> None:
    pair = Pair.make()
    record = LearningRecordFactory.create()
    own, theirs = equivalency(record, pair.destination), equivalency(record, pair.source)
    pair.merge()
    assert owner(theirs, pair) == "destination"
    own.refresh_from_db()
    assert (own.is_superseded, theirs.is_superseded) == (False, True)


@pytest.mark.covers("S3.51", "S3.52")
def test_plans_stay_on_the_source_while_their_courses_come_along() -> None:
    pair, course = Pair.make(), CourseFactory.create()
    plan = LearningPlanFactory.create(courses=[course])
    row = LearningPlanEnrollmentFactory.create(user=pair.source, learning_plan=plan)
    enrollment = enroll(pair.source, course, "in_progress")
    assert reasons(pair.preview(), "learning_plans") == ["learning plans aren't merged; enroll the destination"]
    pair.merge()
    assert (owner(row, pair), owner(enrollment, pair)) == ("source", "destination")
    assert not LearningPlanEnrollment.objects.filter(user=pair.destination).exists()


def test_keep_primary_moves_the_plans_that_the_destination_lacks() -> None:
    pair, plan = Pair.make(), LearningPlanFactory.create()
    lacking = LearningPlanEnrollmentFactory.create(user=pair.source)
    twin = LearningPlanEnrollmentFactory.create(user=pair.source, learning_plan=plan)
    own = LearningPlanEnrollmentFactory.create(user=pair.destination, learning_plan=plan)
    assert outcomes(pair.preview("keep_primary"), "learning_plans") == {"moved": 1, "stays": 1}
    pair.merge("keep_primary")
    assert (owner(lacking, pair), owner(twin, pair), owner(own, pair)) == ("destination", "source", "destination")


STATES = {
    "all completed": (["completed", "completed"], [], "completed"),
    "one completed": (["completed"], [], "in_progress"),
    "one begun": (["in_progress"], [], "in_progress"),
    "none begun": (["enrolled", "enrolled"], [], "enrolled"),
    "completed together": (["completed"], [None, "completed"], "completed"),
    "nothing new": ([], ["completed"], "enrolled"),
}


@pytest.mark.parametrize("policy", ["best_record", "keep_primary"])
@pytest.mark.parametrize("row", STATES.values(), ids=STATES.keys())
def test_the_destinations_plans_get_ahead(row: tuple[list[str], list[str | None], str], policy: str) -> None:
    pair, courses = Pair.make(), CourseFactory.create_batch(2)
    own = LearningPlanEnrollmentFactory.create(
        user=pair.destination, learning_plan=LearningPlanFactory.create(courses=courses)
    )
    for user, statuses in ((pair.source, row[0]), (pair.destination, row[1])):
        for course, status in zip(courses, statuses, strict=False):
            if status:
                enroll(user, course, status)
    merge = pair.merge(policy)
    own.refresh_from_db()
    assert own.status == row[2]
    pair.undo(merge)
    own.refresh_from_db()
    assert own.status == "enrolled"


def test_a_plan_never_falls_back() -> None:
    pair, courses = Pair.make(), CourseFactory.create_batch(2)
    plan = LearningPlanFactory.create(courses=courses)
    own = LearningPlanEnrollmentFactory.create(user=pair.destination, learning_plan=plan, status="completed")
    enroll(pair.source, courses[0], "in_progress")
    pair.merge()
    own.refresh_from_db()
    assert own.status == "completed"
