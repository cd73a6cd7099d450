"""A crash at any step: the state is the one before or the one after, never between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import Error, connection

from merging import services
from merging.errors import MergeError
from merging.models import Merge
from tests.dumps import differences, dump
from tests.factories import CourseFactory, EnrollmentFactory, PointEntryFactory
from tests.merging_cases import Pair, enroll

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]
EVERYTHING = ("contenttypes", "auth", "sessions", "pgtrigger")


@pytest.fixture
def pair() -> Pair:
    pair, shared = Pair.make(), CourseFactory.create()
    enroll(pair.source, shared, "completed", score=90)
    enroll(pair.destination, shared, "completed", score=10)
    EnrollmentFactory.create(user=pair.source)
    PointEntryFactory.create(user=pair.source)
    return pair


class Killer:
    """Counts statements, and ends the server's side of the connection instead of sending the n-th."""

    def __init__(self, at: int) -> None:
        self.at, self.sent = at, 0

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        self.sent += 1
        if self.sent == self.at:
            return execute("SELECT pg_terminate_backend(pg_backend_pid())", (), False, context)
        return execute(sql, params, many, context)


@contextmanager
def killed_at(number: int) -> Iterator[Killer]:
    """The connection dies at this statement, or not at all when fewer are sent."""
    killer = Killer(number)
    with connection.execute_wrapper(killer):
        try:
            yield killer
        except (Error, MergeError):
            assert killer.sent >= number
    connection.close()


def crash_everywhere(act: Callable[[], Any]) -> int:
    """Crash at the first statement, the second, and so on, until the act gets through; returns how often."""
    before, number = dump(EVERYTHING), 0
    while True:
        number += 1
        with killed_at(number) as killer:
            act()
        if killer.sent < number:
            return number - 1
        assert differences(before, dump(EVERYTHING)) == {}


@pytest.mark.covers("P.6")
def test_a_merge_that_crashes_anywhere_leaves_nothing(pair: Pair) -> None:
    assert crash_everywhere(pair.merge) > 20
    assert Merge.objects.get().status == Merge.Status.DONE


@pytest.mark.covers("P.6")
def test_an_undo_that_crashes_anywhere_leaves_the_merge(pair: Pair) -> None:
    before = dump()
    merge = pair.merge()
    assert crash_everywhere(lambda: pair.undo(merge)) > 10
    assert differences(before, dump()) == {}


@pytest.mark.covers("P.6")
def test_a_queued_merge_survives_the_crash_of_its_worker(pair: Pair, settings: Any) -> None:
    settings.MERGE_INLINE_LIMIT = 0
    merge = pair.merge()
    assert merge.status == Merge.Status.QUEUED
    for number in (2, 12, 22):
        with killed_at(number):
            services.execute_merge(merge.pk)
        assert Merge.objects.get().status == Merge.Status.QUEUED
    assert services.execute_merge(merge.pk).status == Merge.Status.DONE
