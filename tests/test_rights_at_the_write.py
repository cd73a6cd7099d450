"""A right that ended between asking and running: nothing is written, whichever door it came through."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.errors import AccountError, UnknownAccount
from accounts.models import User
from accounts.services import create_token, create_user, deactivate, delete_account, update_user, update_users
from learning_records import services as records
from learning_records.models import Course, Enrollment, LearningRecord
from tests.concurrency import apart, before_commit, wait_until_blocked
from tests.factories import CourseFactory, EnrollmentFactory, LearningRecordFactory, SuperadminFactory, UserFactory
from tests.revocation import LOSSES, MOVES, Cast, held

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("P.12")]
DAY = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def cast() -> Cast:
    return Cast()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as executor:
        yield executor


Writer = Callable[[int | None, int], Any]
WRITERS: Mapping[str, Writer] = {
    "receive": lambda actor, user: records.receive(
        [records.NewRecord(user, DAY, course_id=CourseFactory.create().pk)], actor_id=actor
    ),
    "enroll": lambda actor, user: records.enroll(user, CourseFactory.create().pk, actor_id=actor),
    "enroll_many": lambda actor, user: records.enroll_many(
        [{"user_id": user, "course_id": CourseFactory.create().pk}], actor_id=actor
    ),
    "update_enrollment": lambda actor, user: records.update_enrollment(
        Enrollment.objects.get(user=user, voided_at=None).pk, {"progress": 50}, actor_id=actor
    ),
    "void_enrollment": lambda actor, user: records.void_enrollment(
        Enrollment.objects.get(user=user, voided_at=None).pk, reason="wrong", actor_id=actor
    ),
    "restore_enrollment": lambda actor, user: records.restore_enrollment(
        Enrollment.objects.get(user=user, voided_at__isnull=False).pk, actor_id=actor
    ),
    "void_record": lambda actor, user: records.void_record(
        LearningRecord.objects.get(user=user, voided_at=None).pk, reason="wrong", actor_id=actor
    ),
    "restore_record": lambda actor, user: records.restore_record(
        LearningRecord.objects.get(user=user, voided_at__isnull=False).pk, actor_id=actor
    ),
    "change_expiry": lambda actor, user: records.change_expiry(
        LearningRecord.objects.get(user=user, voided_at=None).pk, expires_at=DAY, actor_id=actor
    ),
    "add_external_training": lambda actor, user: records.add_external_training(user, "First aid", actor_id=actor),
    "add_external_trainings": lambda actor, user: records.add_external_trainings(
        [{"user_id": user, "title": "First aid"}], actor_id=actor
    ),
}


@pytest.fixture
def rows(cast: Cast) -> None:
    for voided_at in (None, DAY):
        EnrollmentFactory.create(user=cast.learner, voided_at=voided_at, status="enrolled")
        LearningRecordFactory.create(user=cast.learner, voided_at=voided_at)


@pytest.mark.usefixtures("rows")
class TestEveryServiceThatWritesForAnAccount:
    @pytest.mark.parametrize("loss", LOSSES)
    @pytest.mark.parametrize("writer", WRITERS)
    def test_it_decides_again_when_it_writes(self, cast: Cast, writer: str, loss: str) -> None:
        CourseFactory.create()
        before = held()
        LOSSES[loss](cast)
        with pytest.raises(AccountError) as refused:
            WRITERS[writer](cast.actor.pk, cast.learner.pk)
        assert refused.value.code == ("not_found" if loss == "the assignment" else "not_allowed")
        assert held() == before

    @pytest.mark.parametrize("writer", WRITERS)
    def test_it_writes_for_whoever_holds_the_right_and_for_the_portal_itself(self, cast: Cast, writer: str) -> None:
        for actor_id in (cast.actor.pk, None):
            Enrollment.objects.all().delete()
            LearningRecord.objects.all().delete()
            for voided_at in (None, DAY):
                EnrollmentFactory.create(user=cast.learner, voided_at=voided_at, status="enrolled")
                LearningRecordFactory.create(user=cast.learner, voided_at=voided_at)
            WRITERS[writer](actor_id, cast.learner.pk)

    def test_nobody_but_a_superadmin_writes_for_a_power_user(self, cast: Cast) -> None:
        with pytest.raises(AccountError) as refused:
            WRITERS["receive"](cast.actor.pk, cast.actor.pk)
        assert refused.value.code == "not_allowed"
        WRITERS["receive"](cast.root.pk, cast.actor.pk)


Door = Callable[[Cast], Callable[[], int]]


def a_page(cast: Cast) -> Callable[[], int]:
    form = {"kind": "activity", "title": "First aid", "completed_on": "2026-01-01"}
    client = cast.client()
    return lambda: client.post(f"/users/{cast.learner.pk}/records/new/", form).status_code


def rest(address: str, **values: Any) -> Door:
    def door(cast: Cast) -> Callable[[], int]:
        client = cast.api()
        body = {"user": cast.learner.pk, **values}
        return lambda: client.post(f"/api/v1/{address}/", body, format="json").status_code

    return door


DOORS: Mapping[str, Door] = {
    "a page": a_page,
    "REST": rest("learning-records", kind="activity", title="First aid", completed_at="2026-01-01T12:00:00Z"),
    "REST, plain rows": rest("point-entries", amount=5),
}


class TestARightThatEndsWhileTheWriterWaits:
    @pytest.mark.parametrize("loss", LOSSES)
    @pytest.mark.parametrize("door", DOORS)
    def test_whoever_asked_before_is_refused(self, cast: Cast, pool: ThreadPoolExecutor, door: str, loss: str) -> None:
        before, write = held(), DOORS[door](cast)
        with before_commit(lambda: LOSSES[loss](cast)):
            writer = pool.submit(apart(write))
            wait_until_blocked(writer)
        assert writer.result(20) == (404 if loss == "the assignment" else 403)
        assert held() == before

    def test_a_right_that_ends_later_waits_for_the_write(self, cast: Cast, pool: ThreadPoolExecutor) -> None:
        with before_commit(lambda: WRITERS["receive"](cast.actor.pk, cast.learner.pk)):
            loss = pool.submit(apart(lambda: LOSSES["the right"](cast)))
            wait_until_blocked(loss)
        loss.result(20)
        assert LearningRecord.objects.filter(user=cast.learner).exists()

    def test_two_writes_of_one_actor_do_not_wait_for_each_other(self, cast: Cast, pool: ThreadPoolExecutor) -> None:
        with before_commit(lambda: WRITERS["receive"](cast.actor.pk, cast.learner.pk)):
            other = pool.submit(apart(lambda: WRITERS["receive"](cast.actor.pk, cast.learner.pk)))
            assert len(other.result(20)) == 1

    @pytest.mark.parametrize("move", MOVES)
    def test_what_assigns_the_account_by_its_branch_waits_too(
        self, cast: Cast, pool: ThreadPoolExecutor, move: str
    ) -> None:
        cast.by_branch()
        with before_commit(lambda: WRITERS["receive"](cast.actor.pk, cast.learner.pk)):
            loss = pool.submit(apart(lambda: MOVES[move](cast)))
            wait_until_blocked(loss)
        loss.result(20)
        with pytest.raises(UnknownAccount):
            WRITERS["receive"](cast.actor.pk, cast.learner.pk)
        assert LearningRecord.objects.filter(user=cast.learner).count() == 1


ACCOUNT_WRITERS: Mapping[str, Writer] = {
    "update_user": lambda actor, user: update_user(
        actor=User.objects.get(pk=actor), account_id=user, data={"email": "changed@example.com"}
    ),
    "update_users": lambda actor, user: update_users(
        actor=User.objects.get(pk=actor), changes={user: {"email": "changed@example.com"}}
    ),
    "deactivate": lambda actor, user: deactivate(actor=User.objects.get(pk=actor), account_id=user),
    "delete_account": lambda actor, user: delete_account(actor=User.objects.get(pk=actor), account_id=user),
}


class TestEveryServiceThatChangesAnAccount:
    @pytest.mark.parametrize("loss", LOSSES)
    @pytest.mark.parametrize("writer", ACCOUNT_WRITERS)
    def test_it_waits_for_whoever_takes_the_right_away(
        self, cast: Cast, pool: ThreadPoolExecutor, writer: str, loss: str
    ) -> None:
        cast.change(rights=["users.view", "users.edit", "users.delete"])
        before = held()
        with before_commit(lambda: LOSSES[loss](cast)):
            late = pool.submit(apart(lambda: ACCOUNT_WRITERS[writer](cast.actor.pk, cast.learner.pk)))
            wait_until_blocked(late)
        with pytest.raises(AccountError):
            late.result(20)
        assert held() == before

    def test_many_are_changed_for_whoever_holds_the_right(self, cast: Cast) -> None:
        ACCOUNT_WRITERS["update_users"](cast.actor.pk, cast.learner.pk)
        cast.learner.refresh_from_db()
        assert (cast.learner.email, cast.learner.email_state) == ("changed@example.com", "unverified")

    def test_many_are_all_or_none(self, cast: Cast) -> None:
        changes = {cast.learner.pk: {"email": "changed@example.com"}, UserFactory.create().pk: {"phone": "1"}}
        before = held()
        with pytest.raises(UnknownAccount):
            update_users(actor=cast.actor, changes=changes)
        assert held() == before

    def test_a_new_account_waits_too(self, cast: Cast, pool: ThreadPoolExecutor) -> None:
        branch = cast.by_branch()
        data = {"username": "new", "email": "new@example.com", "branches": [branch.pk]}
        with before_commit(lambda: LOSSES["the right"](cast)):
            late = pool.submit(apart(lambda: create_user(actor=cast.actor, data=data)))
            wait_until_blocked(late)
        with pytest.raises(AccountError):
            late.result(20)
        assert not User.objects.filter(username="new").exists()


class TestTheCatalogue:
    def test_a_demoted_superadmin_changes_nothing(self, cast: Cast, pool: ThreadPoolExecutor) -> None:
        other = SuperadminFactory.create(username="boss")
        client = APIClient(raise_request_exception=False)
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {create_token(owner=other)[0]}")
        assert client.get("/api/v1/courses/").status_code == 200  # notes the token's use, which would wait below
        demote = lambda: update_user(actor=cast.root, account_id=other.pk, data={"role": "learner"})  # noqa: E731
        with before_commit(demote):
            late = pool.submit(apart(lambda: client.post("/api/v1/courses/", {"title": "New"}, format="json")))
            wait_until_blocked(late)
        assert late.result(20).status_code == 403
        assert not Course.objects.filter(title="New").exists()
