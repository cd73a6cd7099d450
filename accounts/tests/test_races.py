"""What happens when two do something at once. Real connections, real transactions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import transaction

from accounts.errors import AccountError
from accounts.models import Role, Status, User
from accounts.services import deactivate, delete_account, lock_for_writing, reactivate
from accounts.tests.people import merged, person, superadmin
from merging.errors import MergeError
from rewards.models import PointEntry
from tests.concurrency import apart, before_commit, wait_until_blocked

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as executor:
        yield executor


def give_points(account_id: int) -> int | None:
    """Write for an account as every service does; answers the account that got it."""
    with transaction.atomic():
        target = lock_for_writing([account_id], actor_id=None).get(account_id)
        if target is not None:
            PointEntry.objects.create(user_id=target, amount=1)
        return target


class TestWritingForAnAccountThatEnds:
    @pytest.mark.parametrize("order", ["the source is older", "the source is younger"])
    def test_a_row_written_during_a_merge_lands_on_the_survivor(self, pool: ThreadPoolExecutor, order: str) -> None:
        superadmin()
        pair = [person("one"), person("two")]
        source, survivor = pair if order == "the source is older" else pair[::-1]
        with before_commit(lambda: merged(source, survivor, policy="keep_primary")):
            writer = pool.submit(apart(lambda: give_points(source.pk)))
            wait_until_blocked(writer)
        assert writer.result(10) == survivor.pk
        assert not PointEntry.objects.filter(user=source).exists()

    def test_a_row_written_before_a_merge_moves_with_it(self, pool: ThreadPoolExecutor) -> None:
        root, source, survivor = superadmin(), person("old"), person("new")
        with before_commit(lambda: give_points(source.pk)):
            merge = pool.submit(apart(lambda: merged(source, survivor, policy="keep_primary", actor=root)))
            wait_until_blocked(merge)
        merge.result(10)
        assert PointEntry.objects.get().user_id == survivor.pk

    def test_the_survivors_own_learning_does_not_wait_for_a_merge(self, pool: ThreadPoolExecutor) -> None:
        superadmin()
        source, survivor = person("old"), person("new")
        with before_commit(lambda: merged(source, survivor, policy="keep_primary")):
            assert pool.submit(apart(lambda: give_points(survivor.pk))).result(10) == survivor.pk

    def test_a_merged_source_that_is_deactivated_gets_nothing_more(self, pool: ThreadPoolExecutor) -> None:
        root, source, survivor = superadmin(), person("old"), person("new")
        merged(source, survivor)
        assert give_points(source.pk) == source.pk
        with before_commit(lambda: deactivate(actor=root, account_id=source.pk)):
            writer = pool.submit(apart(lambda: give_points(source.pk)))
            wait_until_blocked(writer)
        assert writer.result(10) == survivor.pk

    def test_a_deleted_account_gets_nothing(self, pool: ThreadPoolExecutor) -> None:
        root, account = superadmin(), person("old")
        with before_commit(lambda: delete_account(actor=root, account_id=account.pk)):
            writer = pool.submit(apart(lambda: give_points(account.pk)))
            wait_until_blocked(writer)
        assert writer.result(10) is None
        assert not PointEntry.objects.exists()

    def test_a_chain_that_grows_meanwhile_is_followed_to_its_end(self, pool: ThreadPoolExecutor) -> None:
        superadmin()
        first, second, third = person("first"), person("second"), person("third")
        merged(first, second, policy="keep_primary")
        with before_commit(lambda: merged(second, third, policy="keep_primary")):
            writer = pool.submit(apart(lambda: give_points(first.pk)))
            wait_until_blocked(writer)
        assert writer.result(10) == third.pk

    def test_however_they_meet_nothing_is_left_on_a_dead_account(self, pool: ThreadPoolExecutor) -> None:
        root = superadmin()
        for number in range(5):
            accounts = [person(f"p{number}.{place}") for place in range(4)]
            first, second, third, fourth = accounts
            chain = ((second, first), (first, third), (third, fourth))

            def write(account: User) -> list[int | None]:
                return [give_points(account.pk) for _ in range(10)]

            writers = [pool.submit(apart(lambda account=account: write(account))) for account in accounts]  # type: ignore[misc]
            for source, survivor in chain:
                merged(source, survivor, policy="keep_primary", actor=root)
            written = [target for writer in writers for target in writer.result(30)]
            assert None not in written
            entries = PointEntry.objects.filter(user__in=[one.pk for one in accounts])
            assert set(entries.values_list("user_id", flat=True)) == {fourth.pk}
            assert entries.count() == len(written) == 40


class TestWritingForAnAccount:
    def test_it_answers_for_each_account(self) -> None:
        root = superadmin()
        active, inactive, gone = person("active"), person("inactive", status=Status.INACTIVE), person("gone")
        source, survivor = person("old"), person("new")
        merged(source, survivor, policy="keep_primary")
        delete_account(actor=root, account_id=gone.pk)
        ids = [active.pk, inactive.pk, gone.pk, source.pk, 10**9]
        with transaction.atomic():
            found = lock_for_writing(ids, actor_id=None)
        assert found == {active.pk: active.pk, inactive.pk: inactive.pk, source.pk: survivor.pk}

    def test_a_reactivated_source_gets_its_own_rows(self) -> None:
        root, source, survivor = superadmin(), person("old"), person("new")
        merged(source, survivor, policy="keep_primary")
        reactivate(actor=root, account_id=source.pk)
        assert give_points(source.pk) == source.pk

    def test_a_deleted_source_still_leads_to_its_survivor(self) -> None:
        root, source, survivor = superadmin(), person("old"), person("new")
        merged(source, survivor)
        delete_account(actor=root, account_id=source.pk)
        assert give_points(source.pk) == survivor.pk

    def test_it_takes_the_same_few_statements_for_many(self, django_assert_num_queries: Callable[..., object]) -> None:
        ids = [person(f"p{number}").pk for number in range(30)]
        with transaction.atomic(), django_assert_num_queries(2):  # type: ignore[attr-defined]
            assert len(lock_for_writing(ids, actor_id=None)) == 30

    def test_it_takes_nothing_for_nobody(self) -> None:
        with transaction.atomic():
            assert lock_for_writing([], actor_id=None) == {}


@pytest.mark.covers("P.8")
def test_of_two_merges_that_cross_one_is_done_and_one_is_refused(pool: ThreadPoolExecutor) -> None:
    root = superadmin()

    def attempt(source: User, destination: User) -> str:
        try:
            merged(source, destination, actor=root)
        except MergeError as error:
            return error.code
        return "done"

    for number in range(8):
        one, two = person(f"one{number}"), person(f"two{number}")
        tries = [
            pool.submit(apart(lambda: attempt(User.objects.get(pk=one.pk), User.objects.get(pk=two.pk)))),  # noqa: B023
            pool.submit(apart(lambda: attempt(User.objects.get(pk=two.pk), User.objects.get(pk=one.pk)))),  # noqa: B023
        ]
        assert sorted(future.result(30) for future in tries) == ["already_merged", "done"]
        pointers = set(User.objects.filter(pk__in=[one.pk, two.pk]).values_list("merged_into", flat=True))
        assert None in pointers


@pytest.mark.parametrize("act", [deactivate, delete_account])
def test_two_superadmins_cannot_end_each_other(pool: ThreadPoolExecutor, act: Callable[..., User]) -> None:
    def attempt(actor: User, subject: User) -> bool:
        try:
            act(actor=actor, account_id=subject.pk)
        except AccountError:
            return False
        return True

    for number in range(5):
        User.objects.filter(role=Role.SUPERADMIN).update(role=Role.LEARNER)
        one, two = superadmin(f"one{number}"), superadmin(f"two{number}")
        pairs = ((one, two), (two, one))
        tries = [pool.submit(apart(lambda pair=pair: attempt(*pair))) for pair in pairs]  # type: ignore[misc]
        assert sorted(future.result(30) for future in tries) == [False, True]
        assert User.objects.filter(role=Role.SUPERADMIN, status=Status.ACTIVE).count() == 1
