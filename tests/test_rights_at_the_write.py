"""A right that ended between asking and running: nothing is written, whichever door it came through."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.errors import AccountError
from accounts.models import AssignedUser, User
from accounts.services import create_token, deactivate, update_user
from bulk import services as bulk
from bulk.errors import ImportRefused
from bulk.models import ImportRow
from commerce.models import Transaction
from learning_records import services as records
from learning_records.models import Enrollment, ExternalTraining, LearningRecord
from merging import services as merging
from merging import tasks
from merging.models import Merge
from rewards.models import PointEntry
from tests.concurrency import apart, before_commit, wait_until_blocked
from tests.factories import (
    CourseFactory,
    EnrollmentFactory,
    LearningRecordFactory,
    PowerUserFactory,
    SuperadminFactory,
    UserFactory,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("P.12")]
DAY = datetime(2026, 1, 1, tzinfo=UTC)


class Cast:
    """A superadmin, and a power user with Users/View and Users/Edit over one learner."""

    def __init__(self) -> None:
        self.root: User = SuperadminFactory.create(username="root")
        self.learner: User = UserFactory.create(username="jane")
        self.other: User = UserFactory.create(username="jane.two")
        self.actor: User = PowerUserFactory.create(username="paula")
        for account in (self.learner, self.other):
            AssignedUser.objects.create(power_user=self.actor, user=account)

    def change(self, **data: Any) -> None:
        update_user(actor=self.root, account_id=self.actor.pk, data=data)

    def client(self) -> Client:
        client = Client()
        client.force_login(self.actor)
        return client

    def api(self) -> APIClient:
        key, _ = create_token(owner=self.actor)
        client = APIClient(raise_request_exception=False)
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
        return client


LOSSES: Mapping[str, Callable[[Cast], object]] = {
    "the right": lambda cast: cast.change(rights=["users.view"]),
    "the role": lambda cast: cast.change(role="learner"),
    "the account": lambda cast: deactivate(actor=cast.root, account_id=cast.actor.pk),
    "the assignment": lambda cast: cast.change(assigned_users=[]),
}


@pytest.fixture
def cast() -> Cast:
    return Cast()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as executor:
        yield executor


def held() -> dict[str, list[Any]]:
    """Every row that a writer of this file could add or change."""
    kinds = (LearningRecord, Enrollment, ExternalTraining, PointEntry, Transaction)
    rows = {kind.__name__: list(kind._default_manager.order_by("pk").values()) for kind in kinds}
    users = User.objects.filter(role="learner").exclude(username="paula").order_by("pk")
    return rows | {"users": list(users.values("pk", "email", "status", "merged_into_id"))}


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


class TestATask:
    @pytest.fixture
    def merge(self, cast: Cast, settings: Settings) -> Merge:
        settings.MERGE_INLINE_LIMIT = 0
        merge = merging.request_merge(
            actor=cast.actor, source_id=cast.learner.pk, destination_id=cast.other.pk, policy="keep_primary"
        )
        assert merge.status == Merge.Status.QUEUED
        return merge

    @pytest.mark.parametrize("loss", LOSSES)
    def test_a_queued_merge_is_decided_again(self, cast: Cast, merge: Merge, loss: str) -> None:
        before = held()
        LOSSES[loss](cast)
        tasks.run_merge(merge.pk)
        merge.refresh_from_db()
        assert (merge.status, merge.error_code) == (Merge.Status.FAILED, "not_allowed")
        assert held() == before

    @pytest.mark.parametrize("loss", LOSSES)
    def test_it_waits_for_whoever_takes_the_right_away(
        self, cast: Cast, merge: Merge, pool: ThreadPoolExecutor, loss: str
    ) -> None:
        before = held()
        with before_commit(lambda: LOSSES[loss](cast)):
            worker = pool.submit(apart(lambda: tasks.run_merge(merge.pk)))
            wait_until_blocked(worker)
        worker.result(20)
        merge.refresh_from_db()
        assert (merge.status, merge.error_code) == (Merge.Status.FAILED, "not_allowed")
        assert held() == before


FILES: Mapping[str, str] = {
    "users": "username,email\njane,changed@example.com\n",
    "records": "user,kind,title,completed_at\njane,activity,First aid,2026-01-01\n",
    "merges": "source,destination,policy\njane,jane.two,keep_primary\n",
}


def upload(cast: Cast, kind: str, text: str) -> int:
    file = bulk.upload(actor=cast.actor, kind=kind, file=io.BytesIO(text.encode()), name="f.csv", size=len(text))
    return file.pk


def work(import_id: int) -> None:
    while bulk.work(import_id):
        pass


@pytest.mark.parametrize("kind", FILES)
class TestAFile:
    @pytest.mark.parametrize("loss", LOSSES)
    def test_a_right_that_ended_after_the_confirmation_refuses_the_rows(self, cast: Cast, kind: str, loss: str) -> None:
        before = held()
        pk = upload(cast, kind, FILES[kind])
        work(pk)
        bulk.confirm(actor=cast.actor, import_id=pk)
        LOSSES[loss](cast)
        work(pk)
        row = ImportRow.objects.get(import_file=pk)
        assert row.outcome == ImportRow.Verdict.REFUSED
        assert row.reason
        assert held() == before

    def test_a_right_that_ends_while_the_worker_waits_refuses_the_rows(
        self, cast: Cast, pool: ThreadPoolExecutor, kind: str
    ) -> None:
        before = held()
        pk = upload(cast, kind, FILES[kind])
        work(pk)
        bulk.confirm(actor=cast.actor, import_id=pk)
        with before_commit(lambda: LOSSES["the right"](cast)):
            worker = pool.submit(apart(lambda: work(pk)))
            wait_until_blocked(worker)
        worker.result(30)
        assert ImportRow.objects.get(import_file=pk).outcome == ImportRow.Verdict.REFUSED
        assert held() == before

    @pytest.mark.parametrize("loss", ["the right", "the role", "the account"])
    def test_a_right_that_ended_before_the_confirmation_refuses_it(self, cast: Cast, kind: str, loss: str) -> None:
        before = held()
        pk = upload(cast, kind, FILES[kind])
        work(pk)
        LOSSES[loss](cast)
        with pytest.raises(ImportRefused) as refused:
            bulk.confirm(actor=cast.actor, import_id=pk)
        assert refused.value.code == "not_allowed"
        assert held() == before

    def test_a_right_that_ended_before_the_check_refuses_the_rows_and_says_so(self, cast: Cast, kind: str) -> None:
        pk = upload(cast, kind, FILES[kind])
        LOSSES["the right"](cast)
        work(pk)
        row = ImportRow.objects.get(import_file=pk)
        assert row.verdict == ImportRow.Verdict.REFUSED
        assert "Users/Edit" in row.reason

    def test_nobody_confirms_or_cancels_another_power_users_file(self, cast: Cast, kind: str) -> None:
        other = PowerUserFactory.create(username="peter")
        pk = upload(cast, kind, FILES[kind])
        work(pk)
        for act in (bulk.confirm, bulk.cancel):
            with pytest.raises(ImportRefused) as refused:
                act(actor=other, import_id=pk)
            assert refused.value.code == "not_found"
        bulk.confirm(actor=cast.root, import_id=pk)


def test_a_power_user_does_not_give_herself_a_record_by_csv(cast: Cast) -> None:
    pk = upload(cast, "records", "user,kind,title,completed_at\npaula,activity,First aid,2026-01-01\n")
    work(pk)
    row = ImportRow.objects.get(import_file=pk)
    assert (row.verdict, row.column) == (ImportRow.Verdict.REFUSED, "user")
    assert not LearningRecord.objects.filter(user=cast.actor).exists()
