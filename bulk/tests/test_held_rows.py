"""A row whose account somebody holds is put off, the others go on; real connections hold the locks."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg2
import pytest
from django.db import OperationalError
from django.utils import timezone

from accounts.models import User
from bulk import running, services
from bulk.models import Import
from bulk.tests.test_users import check
from learning_records.models import Course, LearningRecord
from lms.serving.tests.conftest import test_database
from merging import tasks
from merging.errors import MergeIsBusy
from merging.models import Merge
from merging.services import execute_merge, request_merge

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def boss() -> User:
    for name in "abcd":
        User.objects.create(username=name, email=f"{name}@example.org", first_name="Jane", last_name="Doe")
    return User.objects.create_user("boss", "boss@example.org", role="superadmin")


@contextlib.contextmanager
def held(username: str, table: str = "accounts_user", column: str = "username") -> Iterator[None]:
    """Another connection holds the row."""
    with contextlib.closing(psycopg2.connect(test_database())) as other, other.cursor() as cursor:
        cursor.execute(f'SELECT FROM {table} WHERE "{column}" = %s FOR UPDATE', [username])
        yield


def confirmed(boss: User, text: str, kind: str) -> Import:
    file = check(boss, text, kind)
    return services.confirm(actor=boss, import_id=file.pk)


def work(file: Import) -> None:
    while services.work(file.pk):
        pass
    file.refresh_from_db()


def outcomes(file: Import) -> list[str]:
    return list(file.rows.order_by("line").values_list("outcome", flat=True))


USERS = "username,first_name\na,New\nb,New\nc,New\nd,New\n"
MERGES = "source,destination\na,b\nc,d\n"
RECORDS = "user,kind,course,completed_at\n" + "".join(f"{name},course,Safety,2026-01-02\n" for name in "abcd")


@pytest.mark.parametrize(
    ("kind", "text", "while_held", "afterwards"),
    [
        ("users", USERS, ["changed", "changed", "", "changed"], ["changed"] * 4),
        ("merges", MERGES, ["changed", ""], ["changed"] * 2),
        ("records", RECORDS, ["added", "added", "", "added"], ["added"] * 4),
    ],
)
def test_a_held_row_waits_and_the_others_go_on(
    boss: User, kind: str, text: str, while_held: list[str], afterwards: list[str]
) -> None:
    Course.objects.create(title="Safety")
    file = confirmed(boss, text, kind)
    with held("c"):
        work(file)
        assert (outcomes(file), file.status) == (while_held, Import.Status.RUNNING)
        work(file)  # it isn't due yet
        assert set(file.rows.filter(outcome="").values_list("tries", flat=True)) == {1}
    file.rows.update(retry_at=timezone.now() - timedelta(seconds=1))
    work(file)
    assert (outcomes(file), file.status) == (afterwards, Import.Status.DONE)
    assert kind != "records" or LearningRecord.objects.count() == 4


def test_a_row_that_is_always_held_is_refused_in_the_end(boss: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "MOST_TRIES", 3)
    file = confirmed(boss, "username,first_name\na,New\nb,New\n", "users")
    with held("a"):
        for _ in range(3):
            file.rows.update(retry_at=None)
            work(file)
    assert (outcomes(file), file.status) == (["refused", "changed"], Import.Status.DONE)
    assert "Somebody else" in file.rows.get(line=2).reason


def test_it_waits_longer_each_time(boss: User) -> None:
    file = confirmed(boss, "username,first_name\na,New\n", "users")
    waits = []
    with held("a"):
        for _ in range(3):
            file.rows.update(retry_at=None)
            work(file)
            retry_at = file.rows.get().retry_at
            assert retry_at
            waits.append((retry_at - timezone.now()).total_seconds())
    assert [round(wait / 5) for wait in waits] == [1, 2, 4]


def test_a_failing_database_puts_nothing_off(boss: User) -> None:
    file = confirmed(boss, "username,first_name\na,New\n", "users")

    def fail(rows: Any) -> None:
        raise OperationalError("gone")

    with pytest.raises(OperationalError):
        running.run(file, [file.rows.get().pk], fail)
    assert file.rows.get().tries == 0


@pytest.fixture
def queued(boss: User, settings: Any) -> Merge:
    settings.MERGE_INLINE_LIMIT = 0
    source, destination = (User.objects.get(username=name) for name in "ab")
    return request_merge(
        actor=boss, source_id=source.pk, destination_id=destination.pk, policy="best_record", reason="hired again"
    )


def test_a_queued_merge_that_meets_a_lock_stays_queued(queued: Merge) -> None:
    assert queued.status == Merge.Status.QUEUED
    with held("a"):
        began = time.monotonic()
        tasks.run_merge(queued.pk)
        assert time.monotonic() - began < 5
        queued.refresh_from_db()
        assert queued.status == Merge.Status.QUEUED
    tasks.run_merge(queued.pk)
    queued.refresh_from_db()
    assert queued.status == Merge.Status.DONE


def test_workers_don_t_pile_up_behind_one_merge(queued: Merge) -> None:
    with held(str(queued.pk), "merging_merge", "id"):
        began = time.monotonic()
        with pytest.raises(MergeIsBusy):
            execute_merge(queued.pk)
        assert time.monotonic() - began < 0.9  # not even its patience of a second
