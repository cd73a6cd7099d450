"""A journal may name what an upgrade renamed, removed or made stricter since: undo refuses in words, or is carried over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, migrations
from django.db.migrations.operations.base import Operation
from django.test import Client
from django.urls import reverse

from accounts.models import User
from learning_records.models import Enrollment
from merging import services
from merging.errors import UndoRefused
from merging.migration_checks import find_lost_names
from merging.models import JournalEntry, Merge
from merging.operations import ForgetJournalColumn, RenameJournalColumn, RenameJournalModel
from tests.factories import EnrollmentFactory, PointEntryFactory
from tests.merging_cases import Pair

pytestmark = pytest.mark.django_db
Change = Callable[[Merge], None]


def run(sql: str, *params: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


def rename_column(merge: Merge, model: str, old: str, new: str) -> None:
    """As a journal was written by a version in which the column was called `new`."""
    apply(RenameJournalColumn(model, old, new))


def apply(operation: Operation, *, backwards: bool = False) -> None:
    with connection.schema_editor() as editor:
        way = operation.database_backwards if backwards else operation.database_forwards
        way("merging", editor, None, None)  # type: ignore[arg-type]  # they look at no state


def removed_model(merge: Merge) -> None:
    JournalEntry.objects.filter(merge=merge, model="rewards.PointEntry").update(model="lending.Loan")


def removed_column(merge: Merge) -> None:
    rename_column(merge, "rewards.PointEntry", "user_id", "holder_id")


def another_type(merge: Merge) -> None:
    set_before(merge, "birth_date", '"the first of May"')


def stricter_column(merge: Merge) -> None:
    set_before(merge, "phone", "null")


def a_new_rule(merge: Merge) -> None:
    run("SET CONSTRAINTS ALL IMMEDIATE")
    run("ALTER TABLE accounts_user ADD CONSTRAINT no_zero CHECK (phone <> '0815') NOT VALID")


def set_before(merge: Merge, column: str, value: str) -> None:
    run(
        "UPDATE merging_journalentry SET before = jsonb_set(before, ARRAY[%s], %s::jsonb),"
        " after = after || jsonb_build_object(%s, (SELECT to_jsonb(u) -> %s FROM accounts_user u WHERE u.id = ids[1])),"
        " kind = 'change' WHERE merge_id = %s AND model = 'accounts.User' AND before ? %s",
        column, value, column, column, merge.pk, column,
    )  # fmt: skip


CHANGES: list[Change] = [removed_model, removed_column, another_type, stricter_column, a_new_rule]


@pytest.fixture
def pair() -> Pair:
    pair = Pair.make()
    User.objects.filter(pk=pair.source.pk).update(phone="4711")
    User.objects.filter(pk=pair.destination.pk).update(phone="0815")
    PointEntryFactory.create_batch(2, user=pair.source)
    EnrollmentFactory.create(user=pair.source)
    return pair


@pytest.fixture
def browser(client: Client, pair: Pair) -> Client:
    client.force_login(pair.actor)
    return client


@pytest.mark.parametrize("change", CHANGES)
def test_undo_is_refused_in_words_at_every_door(pair: Pair, browser: Client, caller: Any, change: Change) -> None:
    merge = pair.merge()
    change(merge)
    for attempt in (lambda: pair.undo(merge), lambda: services.preview_undo(actor=pair.actor, merge_id=merge.pk)):
        with pytest.raises(UndoRefused, match="before the portal was changed") as refusal:
            attempt()
        assert refusal.value.code == "undo_not_possible"
    answer = caller(pair.actor).post(f"/api/v1/merges/{merge.pk}/undo/", {"reason": "why"}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "undo_not_possible")
    page = browser.get(reverse("merging:undo", args=[merge.pk]))
    assert (page.status_code, b"before the portal was changed" in page.content) == (200, True)
    assert browser.post(reverse("merging:undo", args=[merge.pk]), {"reason": "why"}).status_code == 409
    chosen = {"action": "undo", "_selected_action": merge.pk, "reason": "why"}
    site = browser.post(reverse("admin:merging_merge_changelist"), chosen, follow=True)
    assert b"was not undone" in site.content
    merge.refresh_from_db()
    assert merge.status == Merge.Status.DONE


@pytest.mark.parametrize("change", [removed_model, removed_column])
def test_the_history_is_still_shown(pair: Pair, browser: Client, caller: Any, change: Change) -> None:
    merge = pair.merge()
    change(merge)
    page = browser.get(reverse("merging:merge", args=[merge.pk])).content.decode()
    assert "before the portal was changed" in page
    assert browser.get(reverse("merging:merge", args=[merge.pk]), {"tab": "points"}).status_code == 200
    assert caller(pair.actor).get(f"/api/v1/merges/{merge.pk}/changes/").status_code == 200


def test_the_refusal_names_what_is_missing(pair: Pair) -> None:
    merge = pair.merge()
    removed_column(merge)
    JournalEntry.objects.filter(merge=merge, model="learning_records.Enrollment").update(model="courses.Enrolment")
    with pytest.raises(UndoRefused, match=r"courses\.Enrolment, rewards\.PointEntry\.holder_id"):
        pair.undo(merge)


def test_a_renamed_column_and_model_are_carried_over(pair: Pair) -> None:
    merge = pair.merge()
    removed_column(merge)
    removed_model(merge)
    apply(RenameJournalModel("lending.Loan", "rewards.PointEntry"))
    apply(RenameJournalColumn("rewards.PointEntry", "holder_id", "user_id"))
    assert pair.undo(merge).status == Merge.Status.UNDONE
    assert Enrollment.objects.get().user_id == pair.source.pk


def test_a_migration_is_taken_back_with_its_journals(pair: Pair) -> None:
    merge = pair.merge()
    before = list(JournalEntry.objects.order_by("pk").values())
    for operation in (
        RenameJournalColumn("rewards.PointEntry", "user_id", "x_id"),
        RenameJournalModel("rewards.PointEntry", "a.B"),
    ):
        apply(operation)
        assert list(JournalEntry.objects.order_by("pk").values()) != before
        apply(operation, backwards=True)
        assert list(JournalEntry.objects.order_by("pk").values()) == before
    assert pair.undo(merge).status == Merge.Status.UNDONE


def test_a_removed_column_is_left_out_and_the_rest_comes_back(pair: Pair) -> None:
    merge = pair.merge()
    pair.destination.refresh_from_db()
    assert pair.destination.phone == "4711"
    apply(ForgetJournalColumn("accounts.User", "phone"))
    pair.undo(merge)
    pair.destination.refresh_from_db()
    pair.source.refresh_from_db()
    assert (pair.destination.phone, pair.source.merged_into_id) == ("4711", None)


def test_operations_do_nothing_where_there_are_no_journals() -> None:
    run("ALTER TABLE merging_journalentry RENAME TO elsewhere")
    apply(RenameJournalModel("a.B", "a.C"))
    run("ALTER TABLE elsewhere RENAME TO merging_journalentry")


class TestTheCheck:
    def found(self, *operations: Operation) -> list[str]:
        kind = type("Migration", (migrations.Migration,), {"operations": list(operations)})
        migration = kind("0099_x", "rewards")
        return [problem.id for problem in find_lost_names([migration])]  # type: ignore[misc]

    def test_it_names_a_rename_that_journals_are_not_told_of(self) -> None:
        rename = migrations.RenameField("pointentry", "user", "holder")
        assert self.found(rename) == ["merging.E010"]
        assert self.found(migrations.SeparateDatabaseAndState(state_operations=[rename])) == ["merging.E010"]
        assert self.found(rename, RenameJournalColumn("rewards.PointEntry", "user_id", "holder_id")) == []

    def test_it_names_a_removal(self) -> None:
        remove = migrations.RemoveField("pointentry", "reason")
        assert self.found(remove) == ["merging.E010"]
        assert self.found(remove, ForgetJournalColumn("rewards.PointEntry", "reason")) == []

    def test_it_names_a_renamed_model(self) -> None:
        rename = migrations.RenameModel("Points", "PointEntry")
        assert self.found(rename) == ["merging.E010"]
        assert self.found(rename, RenameJournalModel("rewards.Points", "rewards.PointEntry")) == []

    def test_it_leaves_alone_what_no_merge_writes(self) -> None:
        assert self.found(migrations.RenameField("reward", "name", "title")) == []
