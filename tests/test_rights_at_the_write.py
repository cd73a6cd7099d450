"""A right that ended between asking and running: nothing is written, whichever door it came through."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from accounts.errors import AccountError
from learning_records import services as records
from learning_records.models import Enrollment, LearningRecord
from tests.concurrency import apart, before_commit, wait_until_blocked
from tests.factories import (
    CourseFactory,
    EnrollmentFactory,
    LearningRecordFactory,
)
from tests.revocation import LOSSES, Cast, held

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
