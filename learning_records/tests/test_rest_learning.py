"""REST of what people did."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from learning_records.models import Enrollment, LearningRecord
from tests.factories import (
    CertificateFactory,
    CertificationFactory,
    CourseFactory,
    EnrollmentFactory,
    LearningRecordFactory,
    MaterialTrackingFactory,
    UserFactory,
)

V1 = "/api/v1/"
WHEN = "2026-05-31T12:00:00Z"


def post(api: Any, path: str, body: Any) -> Any:
    return api.post(f"{V1}{path}/", body, format="json")


def ids(answer: Any) -> list[int]:
    return [row["id"] for row in answer.json()["results"]]


def test_an_enrollment_has_the_fields_of_the_contract(api: Any, learner: User) -> None:
    course = CourseFactory.create()
    made = post(api, "enrollments", {"user": learner.pk, "course": course.pk}).json()
    assert made.keys() == {
        "id", "user", "course", "status", "score", "progress", "enrolled_at", "started_at", "completed_at",
        "expires_at", "historical", "voided_at", "merged_from",
    }  # fmt: skip
    assert (made["status"], made["historical"], made["merged_from"]) == ("enrolled", False, None)


def test_becoming_completed_gives_one_learning_record(api: Any, learner: User) -> None:
    course = CourseFactory.create(validity_days=30)
    made = post(api, "enrollments", {"user": learner.pk, "course": course.pk, "status": "in_progress"}).json()
    for _ in range(2):
        done = api.patch(f"{V1}enrollments/{made['id']}/", {"status": "completed", "score": 91.5}, format="json")
        assert done.status_code == 200, done.content
    record = LearningRecord.objects.get()
    shown = api.get(f"{V1}learning-records/{record.pk}/").json()
    assert (shown["user"], shown["course"], shown["origin"], shown["score"]) == (learner.pk, course.pk, "earned", 91.5)
    assert shown["enrollment"] == made["id"]
    assert shown["completed_at"] == done.json()["completed_at"]


def test_a_second_enrollment_in_the_same_course_is_refused(api: Any, problem: Any, learner: User) -> None:
    held = EnrollmentFactory.create(user=learner, status="in_progress")
    problem(post(api, "enrollments", {"user": learner.pk, "course": held.course_id}), 409, "already_enrolled")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("status", "done"), ("progress", 101), ("progress", -1), ("progress", "50"), ("score", -1), ("score", "90"),
        ("score", 10_000), ("completed_at", "2026-05-31"), ("historical", True), ("merged_from", 1), ("voided_at", WHEN),
    ],
)  # fmt: skip
def test_it_names_the_value_that_is_wrong(api: Any, problem: Any, learner: User, field: str, value: Any) -> None:
    body = {"user": learner.pk, "course": CourseFactory.create().pk, field: value}
    assert problem(post(api, "enrollments", body), 400)["errors"][0]["field"] == field
    assert not Enrollment.objects.exists()


def test_voiding_an_enrollment_voids_its_record_and_back(api: Any, problem: Any, learner: User) -> None:
    course = CourseFactory.create()
    made = post(api, "enrollments", {"user": learner.pk, "course": course.pk, "status": "completed"}).json()
    record = LearningRecord.objects.get()
    problem(post(api, f"enrollments/{made['id']}/void", {}), 400)
    problem(post(api, f"enrollments/{made['id']}/void", {"reason": " "}), 400)
    assert post(api, f"enrollments/{made['id']}/void", {"reason": "cheated"}).json()["voided_at"]
    assert api.get(f"{V1}learning-records/{record.pk}/").json()["voided_at"]
    problem(post(api, f"enrollments/{made['id']}/void", {"reason": "again"}), 409, "already_void")
    assert post(api, f"learning-records/{record.pk}/restore", {}).json()["voided_at"] is None
    assert api.get(f"{V1}enrollments/{made['id']}/").json()["voided_at"] is None
    problem(post(api, f"learning-records/{record.pk}/restore", {}), 409, "not_void")


def test_enrollments_are_filtered(api: Any, learner: User) -> None:
    current = EnrollmentFactory.create(user=learner, status="enrolled")
    past = EnrollmentFactory.create(user=learner, course=current.course, is_historical=True, status="in_progress")
    other = EnrollmentFactory.create()
    for query, expected in {
        f"user={learner.pk}": [current.pk, past.pk],
        "historical=true": [past.pk],
        f"course={other.course_id}": [other.pk],
        "status=in_progress": [past.pk],
    }.items():
        assert ids(api.get(f"{V1}enrollments/?{query}")) == expected, query


def test_records_are_filtered(api: Any, learner: User) -> None:
    valid = LearningRecordFactory.create(user=learner)
    expired = LearningRecordFactory.create(expires_at="2020-01-01T00:00:00Z")
    voided = LearningRecordFactory.create(voided_at=WHEN)
    program = LearningRecordFactory.create(kind="program", course=None, title="P")
    same = LearningRecordFactory.create(course=valid.course, origin="equivalency", equivalent_of=valid)
    for query, expected in {
        f"user={learner.pk}": [valid.pk],
        "valid=false": [expired.pk, voided.pk],
        "valid=true": [valid.pk, program.pk, same.pk],
        "kind=program": [program.pk],
        "origin=equivalency": [same.pk],
        f"course={valid.course_id}": [valid.pk, same.pk],
    }.items():
        assert ids(api.get(f"{V1}learning-records/?{query}")) == expected, query


def test_a_record_names_its_course_or_its_title(api: Any, problem: Any, learner: User) -> None:
    body = {"user": learner.pk, "kind": "course", "completed_at": WHEN}
    assert problem(post(api, "learning-records", body), 400)["errors"][0]["field"] == "course"
    body = problem(post(api, "learning-records", [{**body, "kind": "program"}]), 400)
    assert body["errors"][0]["field"] == "0.title"


def test_a_record_ends_as_its_course_says(api: Any, learner: User) -> None:
    course = CourseFactory.create(validity_days=10)
    made = post(
        api, "learning-records", {"user": learner.pk, "kind": "course", "course": course.pk, "completed_at": WHEN}
    ).json()
    assert made["expires_at"] == "2026-06-10T12:00:00Z"
    changed = api.patch(f"{V1}learning-records/{made['id']}/", {"expires_at": None}, format="json")
    assert changed.json()["expires_at"] is None
    refused = api.patch(f"{V1}learning-records/{made['id']}/", {"user": 1}, format="json")
    assert refused.json()["errors"][0]["code"] == "read_only"


def test_an_equivalency_follows_its_origin_alone(api: Any, problem: Any) -> None:
    origin = LearningRecordFactory.create()
    same = LearningRecordFactory.create(course=origin.course, origin="equivalency", equivalent_of=origin)
    body = problem(post(api, f"learning-records/{same.pk}/void", {"reason": "x"}), 409, "is_an_equivalency")
    assert body["equivalent_of"] == origin.pk


PAYLOADS: dict[str, Any] = {
    "enrollments": lambda user: {"user": user, "course": CourseFactory.create().pk, "status": "completed"},
    "learning-records": lambda user: {"user": user, "kind": "activity", "title": "x", "completed_at": WHEN},
    "certificates": lambda user: {"user": user, "course": CourseFactory.create().pk},
    "competency-awards": lambda user: {"user": user, "competency": "x", "level": 2},
    "external-trainings": lambda user: {"user": user, "title": "x", "certification": CertificationFactory.create().pk},
    "certification-awards": lambda user: {"user": user, "certification": CertificationFactory.create().pk},
    "point-entries": lambda user: {"user": user, "amount": 3},
    "transactions": lambda user: {"user": user, "amount": "1.00", "currency": "EUR"},
}


@pytest.mark.parametrize("path", PAYLOADS)
def test_what_is_written_for_a_merged_account_lands_on_its_survivor(api: Any, learner: User, path: str) -> None:
    middle = UserFactory.create(status="inactive", merged_into=learner)
    gone = UserFactory.create(status="deleted", merged_into=middle)
    for account in (middle, gone):
        answer = post(
            api, path, PAYLOADS[path](account.pk) | ({"competency": str(account.pk)} if "comp" in path else {})
        )
        assert answer.status_code == 201, answer.content
        assert answer.json()["user"] == learner.pk
        assert answer.headers["Written-To-Survivor"] == f"{account.pk}={learner.pk}"
    active = UserFactory.create(merged_into=learner)
    answer = post(api, path, PAYLOADS[path](active.pk))
    assert answer.json()["user"] == active.pk
    assert "Written-To-Survivor" not in answer.headers


@pytest.mark.parametrize("path", PAYLOADS)
def test_nothing_is_written_for_a_deleted_account(api: Any, problem: Any, path: str) -> None:
    gone = UserFactory.create(status="deleted")
    problem(post(api, path, PAYLOADS[path](gone.pk)), 409, "account_deleted")


@pytest.mark.parametrize("path", PAYLOADS)
def test_power_users_write_for_their_learners_alone(
    caller: Any, problem: Any, power_user: User, learner: User, stranger: User, path: str
) -> None:
    client = caller(power_user)
    assert post(client, path, PAYLOADS[path](learner.pk)).status_code == 201
    problem(post(client, path, PAYLOADS[path](stranger.pk)), 404, "not_found")
    problem(post(client, path, [PAYLOADS[path](learner.pk), PAYLOADS[path](power_user.pk)]), 404, "not_found")
    assert len(ids(client.get(f"{V1}{path}/"))) == 1


def test_rows_out_of_sight_are_not_there(caller: Any, power_user: User, stranger: User, problem: Any) -> None:
    client = caller(power_user)
    row = EnrollmentFactory.create(user=stranger)
    tracking = MaterialTrackingFactory.create(enrollment=row)
    for path in (f"enrollments/{row.pk}", f"material-tracking/{tracking.pk}"):
        problem(client.get(f"{V1}{path}/"), 404)
        problem(client.patch(f"{V1}{path}/", {}, format="json"), 404)
    problem(post(client, f"enrollments/{row.pk}/void", {"reason": "x"}), 404)
    problem(post(client, "material-tracking", {"enrollment": row.pk, "material": "x"}), 404)


def test_tracking_keeps_responses_and_state(api: Any, learner: User) -> None:
    enrollment = EnrollmentFactory.create(user=learner)
    body = {
        "enrollment": enrollment.pk, "material": "intro", "kind": "xapi", "status": "passed", "score": 80,
        "attempt": 2, "responses": {"q1": ["a", {"deep": None}]}, "state": {"suspend_data": "x" * 5000},
    }  # fmt: skip
    made = post(api, "material-tracking", body).json()
    assert {name: made[name] for name in body} == body
    changed = api.patch(f"{V1}material-tracking/{made['id']}/", {"responses": {}}, format="json").json()
    assert (changed["responses"], changed["state"]) == ({}, body["state"])


def test_superseded_rows_are_listed_only_when_asked_for(api: Any, learner: User) -> None:
    kept = CertificateFactory.create(user=learner)
    lost = CertificateFactory.create(user=learner, course=kept.course, is_superseded=True)
    assert ids(api.get(f"{V1}certificates/")) == [kept.pk]
    assert ids(api.get(f"{V1}certificates/?superseded=true")) == [lost.pk]
    assert api.get(f"{V1}certificates/{lost.pk}/").json()["superseded"] is True


def test_plans_and_certifications_keep_their_courses_in_order(api: Any, problem: Any) -> None:
    courses = [CourseFactory.create().pk for _ in range(3)]
    for path in ("learning-plans", "certifications"):
        made = post(api, path, {"title": "x", "courses": courses[::-1]}).json()
        assert made["courses"] == courses[::-1]
        assert api.patch(f"{V1}{path}/{made['id']}/", {"title": "y"}, format="json").json()["courses"] == courses[::-1]
        assert api.patch(f"{V1}{path}/{made['id']}/", {"courses": [courses[1]]}, format="json").json()["courses"] == [
            courses[1]
        ]
        assert problem(post(api, path, {"title": "x", "courses": [999_999]}), 404)["errors"][0]["field"] == "courses"


def test_a_plan_enrollment_follows_the_courses(api: Any, learner: User) -> None:
    course = CourseFactory.create()
    plan = post(api, "learning-plans", {"title": "x", "courses": [course.pk]}).json()
    post(api, "enrollments", {"user": learner.pk, "course": course.pk, "status": "completed"})
    made = post(api, "learning-plan-enrollments", {"user": learner.pk, "learning_plan": plan["id"]}).json()
    assert made["status"] == "completed"


def test_who_an_enrollment_came_from_is_told_only_to_those_who_may_know(
    caller: Any, api: Any, power_user: User, learner: User, stranger: User
) -> None:
    row = EnrollmentFactory.create(user=learner, merged_from=stranger)
    assert api.get(f"{V1}enrollments/{row.pk}/").json()["merged_from"] == stranger.pk
    assert caller(power_user).get(f"{V1}enrollments/{row.pk}/").json()["merged_from"] is None
