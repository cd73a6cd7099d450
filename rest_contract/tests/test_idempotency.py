"""The same POST with the same key is done once."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import SignInFailure, User
from accounts.services.throttle import target_key
from learning_records.models import Course
from merging.models import Merge
from rest_contract.idempotency import forget_old_keys, hidden
from rest_contract.models import IdempotencyKey
from tests.factories import PASSWORD, PointEntryFactory, SuperadminFactory, UserFactory


def post(client: Any, path: str, body: Any, key: str) -> Any:
    return client.post(f"/api/v1/{path}/", body, format="json", headers={"Idempotency-Key": key})


def test_it_gives_the_same_answer_and_does_nothing(api: Any) -> None:
    first = post(api, "courses", {"title": "a"}, "k1")
    again = post(api, "courses", {"title": "a"}, "k1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert Course.objects.count() == 1


def test_it_reads_the_body_not_its_spelling(api: Any) -> None:
    first = post(api, "courses", {"title": "a", "code": "b"}, "k1")
    again = api.generic(
        "POST",
        "/api/v1/courses/",
        '{"code":  "b", "title": "a"}',
        content_type="application/json",
        headers={"Idempotency-Key": "k1"},
    )
    assert first.content == again.content


def test_it_refuses_another_body(api: Any, problem: Any) -> None:
    post(api, "courses", {"title": "a"}, "k1")
    problem(post(api, "courses", {"title": "b"}, "k1"), 422, "key_reused")
    problem(post(api, "badges", {"title": "a"}, "k1"), 422, "key_reused")
    assert Course.objects.count() == 1


def test_it_keeps_refusals_too(api: Any, problem: Any, learner: User) -> None:
    body = {"source": learner.pk, "destination": learner.pk}
    first = problem(post(api, "merges", body, "k1"), 409, "same_account")
    again = post(api, "merges", body, "k1")
    assert problem(again, 409, "same_account") == first
    assert again.headers["Idempotent-Replayed"] == "true"


def test_it_keeps_keys_per_owner(api: Any, caller: Any) -> None:
    other = caller(SuperadminFactory.create())
    assert (
        post(api, "courses", {"title": "a"}, "k1").json()["id"]
        != post(other, "courses", {"title": "a"}, "k1").json()["id"]
    )


def test_it_forgets_keys_after_a_day(api: Any) -> None:
    first = post(api, "courses", {"title": "a"}, "k1").json()
    IdempotencyKey.objects.update(at=timezone.now() - timedelta(hours=25))
    assert post(api, "courses", {"title": "a"}, "k1").json()["id"] != first["id"]
    IdempotencyKey.objects.update(at=timezone.now() - timedelta(hours=25))
    assert forget_old_keys() == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "ä", "a b"])
def test_it_names_a_key_that_is_none(api: Any, problem: Any, key: str) -> None:
    body = problem(post(api, "courses", {"title": "a"}, key), 400)
    assert body["errors"][0]["field"] == "Idempotency-Key"


def test_it_keeps_no_password(api: Any) -> None:
    post(api, "users", {"username": "x", "email": "x@example.com", "password": PASSWORD}, "k1")
    row = IdempotencyKey.objects.get()
    assert PASSWORD not in str((row.fingerprint, row.body, row.headers))


def test_it_counts_refused_passwords_under_a_key(caller: Any, learner: User, problem: Any) -> None:
    UserFactory.create(username="other", password=PASSWORD)
    client = caller(learner)
    body = {"username": "other", "password": "wrong"}
    problem(post(client, "links", body, "k1"), 400, "credentials_refused")
    assert SignInFailure.objects.filter(target=target_key("other")).count() == 1
    problem(post(client, "links", body, "k1"), 400, "credentials_refused")
    assert SignInFailure.objects.filter(target=target_key("other")).count() == 1


@pytest.mark.django_db(transaction=True)
def test_it_does_twenty_equal_merges_once(api: Any) -> None:
    source, destination = UserFactory.create(), UserFactory.create()
    PointEntryFactory.create_batch(3, user=source)
    start = Barrier(20)

    def submit(number: int) -> tuple[int, bool, bytes]:
        start.wait()
        try:
            answer = post(api, "merges", {"source": source.pk, "destination": destination.pk}, "merge-1")
            return answer.status_code, "Idempotent-Replayed" in answer.headers, answer.content
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(submit, range(20)))
    assert Counter(status for status, _, _ in answers) == {201: 20}
    assert Counter(replayed for _, replayed, _ in answers) == {False: 1, True: 19}
    assert len({content for _, _, content in answers}) == 1
    assert Merge.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_it_says_so_while_the_first_still_runs(api: Any, problem: Any, monkeypatch: Any, superadmin: User) -> None:
    monkeypatch.setattr("rest_contract.idempotency.PATIENCE", "200ms")
    from django.db import transaction

    def ask() -> Any:
        try:
            return post(api, "courses", {"title": "a"}, "k1")
        finally:
            connection.close()

    with transaction.atomic():
        IdempotencyKey.objects.create(owner=superadmin, key=hidden("k1"), fingerprint="x")
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(ask).result()
    problem(answer, 409, "still_running")


@pytest.mark.django_db(transaction=True)
def test_it_leaves_no_key_behind_a_fault(api: Any, problem: Any, monkeypatch: Any) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("learning_records.rest.courses.Courses.note", lambda *args, **kwargs: 1 / 0)
        problem(post(api, "courses", {"title": "a"}, "k1"), 500)
    assert not Course.objects.exists()
    assert post(api, "courses", {"title": "a"}, "k1").status_code == 201
