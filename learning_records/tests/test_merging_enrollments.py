"""What a merge does to enrollments: the shared-course order, both policies, the switch, overruling, tracking."""

from decimal import Decimal
from typing import Any

import pytest

from learning_records.models import Course, Enrollment, MaterialTracking
from merging.errors import ChoicesInvalid
from merging.handlers import registered
from merging.policies import find_policy, parse_choices
from tests.factories import CourseFactory, EnrollmentFactory, MaterialTrackingFactory, UserFactory, at
from tests.merging_cases import Pair, enroll, outcomes, owner, reasons

pytestmark = pytest.mark.django_db
OFF = {"enrollments": {"merge": False}}

Sketch = dict[str, Any] | None
NONE: Sketch = None


def like(status: str, **facts: Any) -> Sketch:
    return {"status": status, **facts}


# destination, source, current under best_record, current under keep_primary
TABLE = {
    "none | any": (NONE, like("enrolled"), "source", "source"),
    "any | none": (like("enrolled"), NONE, "destination", "destination"),
    "enrolled 0% | in progress 40%": (like("enrolled"), like("in_progress", progress=40), "source", "destination"),
    "in progress 90% | in progress 10%": (
        like("in_progress", progress=90),
        like("in_progress", progress=10),
        "destination",
        "destination",
    ),
    "in progress 10% | in progress 90%": (
        like("in_progress", progress=10),
        like("in_progress", progress=90),
        "source",
        "destination",
    ),
    "in progress, score 95 | completed, score 70": (
        like("in_progress", score=95),
        like("completed", score=70),
        "source",
        "source",
    ),
    "completed, score 70 | in progress, score 95": (
        like("completed", score=70),
        like("in_progress", score=95),
        "destination",
        "destination",
    ),
    "completed 70 | completed 90": (like("completed", score=70), like("completed", score=90), "source", "destination"),
    "completed 90 | completed 70": (
        like("completed", score=90),
        like("completed", score=70),
        "destination",
        "destination",
    ),
    "completed 80, valid to 2026 | completed 80, valid to 2027": (
        like("completed", score=80, expires_at=at(2026)),
        like("completed", score=80, expires_at=at(2027)),
        "source",
        "destination",
    ),
    "completed, no score | completed, score 0": (
        like("completed"),
        like("completed", score=0),
        "source",
        "destination",
    ),
    "equal in everything | equal": (like("completed"), like("completed"), "destination", "destination"),
    "completed 60, voided | completed 50, valid": (
        like("completed", score=60, voided_at=at(2025, 6)),
        like("completed", score=50),
        "source",
        "source",
    ),
    # ranks that the table doesn't show
    "waiting | enrolled": (like("waiting"), like("enrolled"), "source", "destination"),
    "withdrawn | waiting": (like("withdrawn"), like("waiting"), "source", "destination"),
    "withdrawn, score 99 | enrolled": (like("withdrawn", score=99), like("enrolled"), "source", "destination"),
    "valid to 2027 | never ends": (
        like("completed", expires_at=at(2027)),
        like("completed"),
        "source",
        "destination",
    ),
    "completed 2025 | completed 2024": (
        like("completed"),
        like("completed", completed_at=at(2024)),
        "source",
        "destination",
    ),
    "completed | completed, voided": (
        like("completed", score=1),
        like("completed", score=99, voided_at=at(2025, 6)),
        "destination",
        "destination",
    ),
}


@pytest.mark.covers("P.2", "S3.21", "S2.14", "S2.15", "S2.16", "S2.17", "S2.18")
@pytest.mark.parametrize("policy", ["best_record", "keep_primary"])
@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE.keys())
def test_it_follows_the_decision_table(row: tuple[Sketch, Sketch, str, str], policy: str) -> None:
    pair, course = Pair.make(), CourseFactory.create()
    sides = {"destination": (pair.destination, row[0]), "source": (pair.source, row[1])}
    rows = {side: enroll(user, course, **sketch) for side, (user, sketch) in sides.items() if sketch}
    statuses = {side: (enrollment.status, enrollment.score) for side, enrollment in rows.items()}
    pair.merge(policy)
    current = row[2] if policy == "best_record" else row[3]
    assert Enrollment.objects.current().get(course=course) == rows[current]
    for side, enrollment in rows.items():
        assert owner(enrollment, pair) == "destination"
        assert enrollment.is_historical == (side != current)
        assert enrollment.status == statuses[side][0]
        assert enrollment.merged_from == (pair.source if side == "source" else None)


@pytest.mark.covers("S2.19")
def test_it_keeps_one_current_and_one_historical_of_two_completed() -> None:
    pair, course = Pair.make(), CourseFactory.create()
    enroll(pair.source, course, "completed", score=99)
    enroll(pair.destination, course, "completed", score=50)
    pair.merge("keep_primary")
    found = Enrollment.objects.filter(user=pair.destination).order_by("is_historical")
    assert [(row.status, row.is_historical) for row in found] == [("completed", False), ("completed", True)]


@pytest.mark.covers("S2.1", "S2.2", "S2.5", "S2.21", "S2.24", "S3.20", "S3.52")
@pytest.mark.parametrize("policy", ["best_record", "keep_primary"])
def test_it_brings_all_enrollments_with_everything_that_they_hold(policy: str) -> None:
    pair = Pair.make()
    alone = enroll(pair.source, CourseFactory.create(), "in_progress", progress=30, score=4)
    old = enroll(pair.source, alone.course, "withdrawn", is_historical=True)
    pair.merge(policy)
    assert owner(alone, pair) == owner(old, pair) == "destination"
    assert (alone.status, alone.progress, alone.score, alone.is_historical) == ("in_progress", 30, Decimal(4), False)
    assert (old.status, old.is_historical) == ("withdrawn", True)


@pytest.mark.covers("S3.22", "S3.23", "S3.24", "S2.24")
@pytest.mark.parametrize("kind", ["scorm", "xapi", "video", "test"])
def test_it_never_mixes_the_tracking_of_two_attempts(kind: str) -> None:
    pair, course = Pair.make(), CourseFactory.create()
    better, worse = enroll(pair.source, course, "completed"), enroll(pair.destination, course, "enrolled")
    theirs = MaterialTrackingFactory.create(enrollment=better, material="m", kind=kind, responses={"q": "source"})
    own = MaterialTrackingFactory.create(enrollment=worse, material="m", kind=kind, responses={"q": "destination"})
    before = list(MaterialTracking.objects.order_by("pk").values())
    pair.merge()
    assert list(MaterialTracking.objects.order_by("pk").values()) == before
    assert owner(theirs.enrollment, pair) == owner(own.enrollment, pair) == "destination"
    assert (theirs.enrollment.is_historical, own.enrollment.is_historical) == (False, True)


def test_a_review_is_stale_when_tracking_changed() -> None:
    pair = Pair.make()
    tracking = MaterialTrackingFactory.create(enrollment__user=pair.destination)
    before = pair.preview().digest
    MaterialTracking.objects.filter(pk=tracking.pk).update(responses={"q1": "c"})
    assert pair.preview().digest != before


@pytest.mark.covers("S3.85")
def test_with_enrollments_off_only_the_winners_of_shared_courses_move() -> None:
    pair = Pair.make()
    wins, loses, alone = CourseFactory.create_batch(3)
    winner, beaten = enroll(pair.source, wins, "completed"), enroll(pair.destination, wins, "enrolled")
    loser, best = enroll(pair.source, loses, "enrolled"), enroll(pair.destination, loses, "completed")
    single, old = enroll(pair.source, alone, "completed"), enroll(pair.source, wins, "withdrawn", is_historical=True)
    plan = pair.preview(choices=OFF)
    assert outcomes(plan, "enrollments") == {"moved": 1, "superseded": 1, "stays": 3}
    assert len([reason for reason in reasons(plan, "enrollments") if "aren't merged" in reason]) == 3
    pair.merge(choices=OFF)
    assert {owner(row, pair) for row in (winner, beaten, best)} == {"destination"}
    assert {owner(row, pair) for row in (loser, single, old)} == {"source"}
    assert (winner.is_historical, beaten.is_historical, best.is_historical) == (False, True, False)
    assert (loser.is_historical, single.is_historical, old.is_historical) == (False, False, True)


@pytest.mark.covers("S3.89")
@pytest.mark.parametrize("side", ["source", "destination"])
def test_the_person_may_overrule_the_order_of_a_course(side: str) -> None:
    pair, course, other = Pair.make(), CourseFactory.create(), CourseFactory.create()
    rows = {
        "source": enroll(pair.source, course, "completed" if side == "destination" else "waiting"),
        "destination": enroll(pair.destination, course, "completed" if side == "source" else "waiting"),
    }
    untouched = enroll(pair.source, other, "completed")
    enroll(pair.destination, other, "enrolled")
    choices = {"enrollments": {"courses": {str(course.pk): side}}}
    plan = pair.preview(choices=choices)
    assert "as you chose" in reasons(plan, "enrollments")
    pair.merge(choices=choices)
    assert set(Enrollment.objects.current().filter(user=pair.destination)) == {rows[side], untouched}


def test_a_row_that_was_merged_before_keeps_where_it_came_from() -> None:
    pair, first = Pair.make(), UserFactory.create()
    row = EnrollmentFactory.create(user=pair.source, merged_from=first)
    merge = pair.merge()
    assert owner(row, pair) == "destination"
    assert row.merged_from == first
    pair.undo(merge)
    assert owner(row, pair) == "source"
    assert row.merged_from == first


@pytest.mark.parametrize(
    ("course", "code"),
    [("unknown", "does_not_exist"), ("source's", "not_shared"), ("destination's", "not_shared"), ("old", "not_shared")],
)
def test_it_refuses_choices_for_courses_that_are_not_shared(course: str, code: str) -> None:
    pair, old = Pair.make(), CourseFactory.create()
    enroll(pair.source, old, "enrolled", is_historical=True)
    enroll(pair.destination, old, "enrolled")
    ids = {
        "unknown": 999_999,
        "source's": EnrollmentFactory.create(user=pair.source).course_id,
        "destination's": EnrollmentFactory.create(user=pair.destination).course_id,
        "old": old.pk,
    }
    with pytest.raises(ChoicesInvalid) as refusal:
        pair.preview(choices={"enrollments": {"courses": {str(ids[course]): "source"}}})
    (error,) = refusal.value.errors
    assert error["field"] == f"choices.enrollments.courses.{ids[course]}"
    assert error["code"] == code
    assert error["detail"].endswith(".")


@pytest.mark.covers("S3.86", "S3.87", "S3.88")
def test_the_wizard_offers_each_course_with_the_better_side_preselected() -> None:
    pair = Pair.make()
    shared = Course.objects.create(title="A shared one")
    enroll(pair.source, shared, "in_progress", progress=40, score=7)
    enroll(pair.destination, shared, "completed", expires_at=at(2027))
    EnrollmentFactory.create(
        user=pair.source, course__title="B the source's", status="completed", completed_at=at(2025)
    )
    EnrollmentFactory.create(user=pair.destination, course__title="C the destination's")
    rows = _choice_rows(pair, "best_record")
    told = [(row.label, row.preselected, row.is_open) for row in rows]
    assert told == [
        ("A shared one", "destination", True),
        ("B the source's", "source", False),
        ("C the destination's", "destination", False),
    ]
    assert rows[0].source == "In progress, score 7, 40%"
    assert rows[0].destination == "Completed, 100%, completed 1 January 2025, valid until 1 January 2027"
    assert (rows[1].destination, rows[1].reason) == (None, "Only the source is in this course.")
    assert not any(row.is_open for row in _choice_rows(pair, "keep_primary"))


def _choice_rows(pair: Pair, policy: str) -> Any:
    from merging.handlers import Case

    handler = next(handler for handler in registered() if handler.key == "enrollments")
    chosen = find_policy(policy)
    return handler.choices(Case(pair.source, pair.destination, chosen, parse_choices(None, chosen)))


@pytest.mark.covers("P.4")
def test_it_warns_when_the_kept_record_ends_earlier() -> None:
    pair, course = Pair.make(), CourseFactory.create(title="Safety 101")
    enroll(pair.source, course, "completed", score=90, expires_at=at(2026))
    enroll(pair.destination, course, "completed", score=80, expires_at=at(2027))
    (warning,) = (notice for notice in pair.preview().warnings if notice.code == "earlier_validity")
    assert warning.facts["course"] == course.pk
    for word in ("Safety 101", "1 January 2026", "1 January 2027"):
        assert word in warning.detail
    assert not [notice for notice in pair.preview("keep_primary").warnings if notice.code == "earlier_validity"]


@pytest.mark.parametrize(
    ("loser", "warns"),
    [
        ({"status": "completed", "score": 1}, True),
        ({"status": "completed", "score": 1, "voided_at": at(2025, 6)}, False),
        ({"status": "in_progress"}, False),
        ({"status": "completed", "score": 1, "expires_at": at(2025, 12)}, False),
    ],
    ids=["never ends", "voided", "not completed", "ends earlier"],
)
def test_it_warns_only_of_validity_that_is_lost(loser: dict[str, Any], warns: bool) -> None:
    pair, course = Pair.make(), CourseFactory.create()
    enroll(pair.source, course, "completed", score=90, expires_at=at(2026))
    enroll(pair.destination, course, **loser)
    assert bool([notice for notice in pair.preview().warnings if notice.code == "earlier_validity"]) == warns
