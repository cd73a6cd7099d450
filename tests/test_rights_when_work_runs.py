"""A right that ended before a task or a file ran: nothing is written in that person's name."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
from pytest_django import Settings

from bulk import services as bulk
from bulk.errors import ImportRefused
from bulk.models import ImportRow
from learning_records.models import LearningRecord
from merging import services as merging
from merging import tasks
from merging.models import Merge
from tests.concurrency import apart, before_commit, wait_until_blocked
from tests.factories import PowerUserFactory
from tests.revocation import LOSSES, Cast, held

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers("P.12")]


@pytest.fixture
def cast() -> Cast:
    return Cast()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as executor:
        yield executor


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
