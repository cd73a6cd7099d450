"""A keyed request whose process was killed: the same request again is answered at once, and done once."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction

from accounts.models import User
from linking.models import Link
from merging.models import Merge
from rest_contract import idempotency
from rest_contract.models import IdempotencyKey
from tests.concurrency import forget_inherited_connection
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)
READY_WITHIN = 30.0
Ask = Callable[[], Any]


@contextmanager
def killed(ask: Ask, account: User) -> Iterator[None]:
    """Inside, a process that asked was killed while it waited for the account, and the account is locked no more."""
    fork = multiprocessing.get_context("fork")
    go = fork.Event()
    connection.close()

    def ask_when_told() -> None:
        forget_inherited_connection()
        go.wait()
        ask()

    child = fork.Process(target=ask_when_told, daemon=True)
    child.start()
    try:
        with transaction.atomic():
            User.objects.select_for_update().get(pk=account.pk)
            go.set()
            wait_for_a_waiter()
    finally:  # whatever came of it: a child that lives on would hold up the tests that follow
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        child.join()
    yield


def wait_for_a_waiter() -> None:
    ends = time.monotonic() + READY_WITHIN
    with connection.cursor() as cursor:
        while time.monotonic() < ends:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone() != (0,):
                return
            time.sleep(0.02)
    pytest.fail("The other process never came to the lock.")


def test_a_link_is_made_once_though_its_first_owner_died(caller: Any, learner: User) -> None:
    other, client = UserFactory.create(username="other", password=PASSWORD), caller(learner)

    def ask() -> Any:
        body = {"username": "other", "password": PASSWORD}
        return client.post("/api/v1/links/", body, format="json", headers={"Idempotency-Key": "k"})

    with killed(ask, other):
        answer = ask()
    assert answer.status_code == 201, answer.content
    again = ask()
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
    assert Link.objects.count() == 1


def test_a_merge_is_done_once_though_its_first_owner_died(api: Any, learner: User) -> None:
    other = UserFactory.create()

    def ask() -> Any:
        body = {"source": learner.pk, "destination": other.pk}
        return api.post("/api/v1/merges/", body, format="json", headers={"Idempotency-Key": "k"})

    with killed(ask, other):
        answer = ask()
    assert answer.status_code == 201, answer.content
    assert "Idempotent-Replayed" not in answer.headers
    assert Merge.objects.count() == 1


def test_a_key_that_is_held_is_not_taken(caller: Any, learner: User, problem: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(idempotency, "PATIENCE", "100ms")
    client = caller(learner)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            name = f"idempotency {learner.pk} {idempotency.hidden('k')}"
            cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [name])
        answer = client.post("/api/v1/links/", {}, format="json", headers={"Idempotency-Key": "k"})
    finally:
        other.close()
    problem(answer, 409, "still_running")
    assert not IdempotencyKey.objects.exists()


def test_the_lock_ends_with_the_request(caller: Any, learner: User) -> None:
    for _ in range(2):
        caller(learner).post("/api/v1/links/", {}, format="json", headers={"Idempotency-Key": "k"})
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
        assert cursor.fetchone() == (0,)
