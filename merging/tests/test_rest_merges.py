"""merges/: previewed, done, looked into and undone over REST."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from merging import tasks
from merging.handlers import SECTIONS
from merging.models import Merge
from rewards.models import PointEntry
from tests.brokers import Broker
from tests.factories import (
    CourseFactory,
    EnrollmentFactory,
    PointEntryFactory,
    SuperadminFactory,
    UserFactory,
)

MERGES = "/api/v1/merges/"
OUTCOMES = {"moved", "changed", "added", "superseded", "stays"}


@pytest.fixture
def source(db: None) -> User:
    user: User = UserFactory.create(username="source", first_name="Jane", last_name="Doe")
    PointEntryFactory.create_batch(3, user=user)
    return user


def post(api: Any, path: str, **body: Any) -> Any:
    return api.post(f"{MERGES}{path}", body, format="json")


def both(source: User, destination: User) -> dict[str, int]:
    return {"source": source.pk, "destination": destination.pk}


def test_a_preview_tells_everything_and_writes_nothing(api: Any, source: User, learner: User) -> None:
    course = CourseFactory.create()
    EnrollmentFactory.create(user=source, course=course)
    EnrollmentFactory.create(user=learner, course=course)
    plan = post(api, "preview/", **both(source, learner), policy="best_record").json()
    assert plan.keys() == {"digest", "policy", "source", "destination", "blockers", "warnings", "sections"}
    assert [section["key"] for section in plan["sections"]] == list(SECTIONS)
    for section in plan["sections"]:
        assert section.keys() == {"key", "label", "counts", "rows"}
        assert section["counts"].keys() == OUTCOMES
        assert all(row.keys() == {"what", "outcome", "reason", "detail"} for row in section["rows"])
    points = next(section for section in plan["sections"] if section["key"] == "points")
    assert points["counts"]["moved"] == len(points["rows"]) == 3
    assert not Merge.objects.exists()
    assert post(api, "preview/", **both(source, learner)).json() == plan


def test_a_merge_does_what_its_preview_said(api: Any, source: User, learner: User) -> None:
    plan = post(api, "preview/", **both(source, learner)).json()
    answer = post(api, "", **both(source, learner), digest=plan["digest"], reason="same person", notify=False)
    assert answer.status_code == 201
    merge = answer.json()
    assert merge.keys() >= {
        "id", "source", "destination", "policy", "choices", "status", "counts", "performed_by", "performed_at",
        "undo_until", "undone_by", "undone_at", "error",
    }  # fmt: skip
    assert (merge["status"], merge["policy"]) == ("done", "best_record")
    assert merge["counts"] == {section["key"]: section["counts"] for section in plan["sections"]}
    assert api.get(f"{MERGES}{merge['id']}/").json() == merge
    assert api.get(MERGES, {"source": source.pk}).json()["results"] == [merge]


def test_a_stale_plan_is_refused(api: Any, problem: Any, source: User, learner: User) -> None:
    plan = post(api, "preview/", **both(source, learner)).json()
    PointEntryFactory.create(user=source)
    body = problem(post(api, "", **both(source, learner), digest=plan["digest"]), 409, "plan_is_stale")
    assert "Points" in body["detail"]
    assert not Merge.objects.exists()


@pytest.mark.covers("S3.72", "S3.5", "S3.6", "S3.7", "S3.8")
def test_what_the_rules_forbid_is_a_conflict(
    api: Any, problem: Any, source: User, learner: User, power_user: User
) -> None:
    boss = SuperadminFactory.create()
    inactive = UserFactory.create(status="inactive")
    gone = UserFactory.create(status="deleted")
    for pair, code in (
        (both(source, source), "same_account"),
        (both(boss, learner), "not_a_learner"),
        (both(source, boss), "not_a_learner"),
        (both(power_user, learner), "not_a_learner"),
        (both(source, power_user), "not_a_learner"),
        (both(source, inactive), "inactive_destination"),
        (both(gone, learner), "account_deleted"),
        (both(source, gone), "account_deleted"),
    ):
        assert code in {blocker["code"] for blocker in post(api, "preview/", **pair).json()["blockers"]}
        problem(post(api, "", **pair), 409, code)


def test_a_merged_source_names_its_survivor(api: Any, problem: Any, source: User, learner: User) -> None:
    post(api, "", **both(source, learner))
    body = problem(post(api, "", **both(source, UserFactory.create())), 409, "already_merged")
    assert body["survivor"] == learner.pk


def test_merging_can_be_switched_off(api: Any, problem: Any, source: User, learner: User, settings: Any) -> None:
    merge = post(api, "", **both(source, learner)).json()
    settings.MERGING_ENABLED = False
    problem(post(api, "", **both(UserFactory.create(), learner)), 409, "merging_is_off")
    assert post(api, f"{merge['id']}/undo/", reason="wrong").status_code == 200


@pytest.mark.parametrize(
    ("choices", "field"),
    [
        ({"nonsense": {}}, "choices.nonsense"),
        ({"profile": {"merge": "yes"}}, "choices.profile.merge"),
        ({"profile": {"fields": {"username": "source"}}}, "choices.profile.fields.username"),
        ({"profile": {"fields": {"first_name": "both"}}}, "choices.profile.fields.first_name"),
        ({"enrollments": {"courses": {"x": "source"}}}, "choices.enrollments.courses.x"),
        ({"enrollments": {"courses": {"999999": "source"}}}, "choices.enrollments.courses.999999"),
        ({"external_trainings": {"merge": False}}, "choices.external_trainings"),
    ],
)
@pytest.mark.covers("S3.39")
def test_forged_choices_are_named(
    api: Any, problem: Any, source: User, learner: User, choices: Any, field: str
) -> None:
    for path in ("preview/", ""):
        body = problem(post(api, path, **both(source, learner), choices=choices), 400)
        assert body["errors"][0]["field"] == field
    assert not Merge.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"policy": "manual"},
        {"policy": "x"},
        {"source": "x"},
        {"source": None},
        {"choices": []},
        {"notify": "no"},
        {"x": 1},
        {"reason": "x" * 301},
    ],
    ids=str,
)
def test_wrong_bodies_name_the_field(
    api: Any, problem: Any, source: User, learner: User, change: dict[str, Any]
) -> None:
    body = problem(post(api, "", **{**both(source, learner), **change}), 400)
    assert body["errors"][0]["field"] == next(iter(change))


def test_unknown_accounts_are_not_there(api: Any, problem: Any, learner: User) -> None:
    for path in ("", "preview/"):
        body = problem(post(api, path, source=999_999, destination=learner.pk), 404)
        assert body["errors"][0]["field"] == "source"


@pytest.mark.covers("S3.11", "S3.14", "S3.15")
def test_power_users_merge_their_own_learners_alone(
    caller: Any, problem: Any, power_user: User, learner: User, source: User
) -> None:
    client = caller(power_user)
    for pair in (both(source, learner), both(learner, source)):
        for path in ("", "preview/"):
            unseen = problem(post(client, path, **pair), 404)
            unknown = problem(
                post(client, path, **{k: v if v == learner.pk else 999_999 for k, v in pair.items()}), 404
            )
            assert unseen == unknown
    power_user.assigned_users.create(user=source)
    assert post(client, "", **both(source, learner)).status_code == 201


@pytest.mark.covers("S3.12", "S3.13", "S3.18")
def test_without_both_rights_nobody_merges(
    caller: Any, problem: Any, power_user: User, learner: User, source: User
) -> None:
    power_user.assigned_users.create(user=source)
    for rights in ([], ["users.view"], ["users.edit"], ["users.delete"]):
        User.objects.filter(pk=power_user.pk).update(rights=rights)
        for path in ("", "preview/"):
            problem(post(caller(power_user), path, **both(source, learner)), 403, "not_allowed")
    problem(post(caller(learner), "", **both(source, learner)), 403, "not_allowed")
    assert not Merge.objects.exists()


def test_the_journal_has_one_object_per_row(api: Any, source: User, learner: User) -> None:
    merge = post(api, "", **both(source, learner)).json()
    path = f"{MERGES}{merge['id']}/changes/"
    page = api.get(path, {"page_size": 2}).json()
    rows = page["results"]
    while page["next"]:
        page = api.get(page["next"]).json()
        rows += page["results"]
    points = [row for row in rows if row["model"] == "PointEntry"]
    assert [row["before"] for row in points] == [{"user_id": source.pk}] * 3
    assert [row["after"] for row in points] == [{"user_id": learner.pk}] * 3
    assert all(row.keys() >= {"app", "model", "row_id", "before", "after", "reason"} for row in rows)
    assert len(rows) == sum(sum(counts.values()) for counts in merge["counts"].values())
    while page["previous"]:
        page = api.get(page["previous"]).json()
    assert page["results"] == rows[:2]
    assert api.get(path, {"cursor": "x"}).status_code == 404
    assert api.get(f"{MERGES}999999/changes/").status_code == 404


@pytest.mark.covers("P.5")
def test_an_undo_brings_everything_back(api: Any, problem: Any, source: User, learner: User) -> None:
    before = [api.get(f"/api/v1/users/{user.pk}/transcript/").json() for user in (source, learner)]
    merge = post(api, "", **both(source, learner)).json()
    problem(post(api, f"{merge['id']}/undo/"), 400)
    undone = post(api, f"{merge['id']}/undo/", reason="two people").json()
    assert (undone["status"], undone["undo_reason"]) == ("undone", "two people")
    assert undone["undone_by"]
    assert undone["undone_at"]
    assert [api.get(f"/api/v1/users/{user.pk}/transcript/").json() for user in (source, learner)] == before
    problem(post(api, f"{merge['id']}/undo/", reason="again"), 409, "not_done")


def test_undo_is_a_superadmins(
    caller: Any, api: Any, problem: Any, power_user: User, learner: User, source: User
) -> None:
    power_user.assigned_users.create(user=source)
    client = caller(power_user)
    merge = post(client, "", **both(source, learner)).json()
    problem(post(client, f"{merge['id']}/undo/", reason="x"), 403, "not_allowed")
    other = post(api, "", **both(UserFactory.create(), UserFactory.create())).json()
    problem(client.get(f"{MERGES}{other['id']}/"), 404)
    problem(post(client, f"{other['id']}/undo/", reason="x"), 404)
    assert [row["id"] for row in client.get(MERGES).json()["results"]] == [merge["id"]]


def test_merges_are_undone_last_first_and_in_time(api: Any, problem: Any, source: User, learner: User) -> None:
    first = post(api, "", **both(source, learner)).json()
    later = post(api, "", **both(UserFactory.create(), learner)).json()
    body = problem(post(api, f"{first['id']}/undo/", reason="x"), 409, "undo_later_merge_first")
    assert body["merge"] == later["id"]
    Merge.objects.filter(pk=later["id"]).update(undo_until=timezone.now() - timedelta(days=1))
    problem(post(api, f"{later['id']}/undo/", reason="x"), 409, "undo_window_closed")


def test_rows_that_have_changed_refuse_the_undo(api: Any, problem: Any, source: User, learner: User) -> None:
    merge = post(api, "", **both(source, learner), choices={"profile": {"fields": {"first_name": "source"}}}).json()
    entry = PointEntry.objects.filter(user=learner).earliest("id")
    entry.user = UserFactory.create()
    entry.save()
    body = problem(post(api, f"{merge['id']}/undo/", reason="x"), 409, "rows_have_changed")
    assert body["rows"] == [{"model": "rewards.PointEntry", "id": entry.pk}]


def test_a_large_merge_is_queued_and_polled(
    api: Any, source: User, learner: User, settings: Any, broker: Broker, django_capture_on_commit_callbacks: Any
) -> None:
    settings.MERGE_INLINE_LIMIT = 0
    with django_capture_on_commit_callbacks(execute=True):
        answer = post(api, "", **both(source, learner))
    assert answer.status_code == 202
    merge = answer.json()
    assert merge["status"] == "queued"
    assert broker.hints() == [("merging.tasks.run_merge", [merge["id"]])]
    tasks.run_merge(merge["id"])
    assert api.get(f"{MERGES}{merge['id']}/").json()["status"] == "done"


def test_browsers_need_a_recent_sign_in(superadmin: User, source: User, learner: User, problem: Any) -> None:
    browser = Client()
    browser.force_login(superadmin, backend="accounts.backends.PasswordBackend")
    session = browser.session
    session["password_proven_at"] = 1
    session.save()
    answer = browser.post(MERGES, both(source, learner), content_type="application/json")
    problem(answer, 403, "sign_in_again")
    answer = browser.post(f"{MERGES}preview/", both(source, learner), content_type="application/json")
    assert answer.status_code == 200


def test_busy_accounts_are_asked_for_again(
    api: Any, problem: Any, source: User, learner: User, monkeypatch: Any
) -> None:
    from merging import services
    from merging.errors import MergeIsBusy

    def busy(*args: Any, **kwargs: Any) -> Any:
        raise MergeIsBusy

    monkeypatch.setattr(services, "request_merge", busy)
    answer = post(api, "", **both(source, learner))
    problem(answer, 503, "accounts_are_busy")
    assert int(answer.headers["Retry-After"]) > 0
