"""The laws: each fires on a break that was seeded, and none does after an honest history."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from accounts.models import User
from audit import chain
from audit.models import AuditEntry
from learning_records.models import Enrollment
from linking.models import Link, LinkGroup, Membership
from linking.models import Pair as LinkPair
from lms.laws import LAWS, verify
from merging.models import JournalEntry, Merge
from rewards.models import PointEntry
from tests import factories
from tests.factories import at
from tests.merging_cases import Pair

pytestmark = pytest.mark.django_db


def a_merge() -> tuple[Pair, Merge]:
    """A merge that moved an enrollment and points, and left a learning plan behind."""
    pair = Pair.make()
    factories.EnrollmentFactory.create(user=pair.source, completed=True)
    factories.PointEntryFactory.create(user=pair.source)
    factories.LearningPlanEnrollmentFactory.create(user=pair.source)
    return pair, pair.merge()


def run(sql: str, *params: Any) -> None:
    """Behind the back of every rule that Django or a trigger would hold up."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(sql, params)
        cursor.execute("SET LOCAL session_replication_role = origin")


def lose_a_row() -> None:
    a_merge()
    run("DELETE FROM learning_records_enrollment")


def touch_an_amount() -> None:
    _, merge = a_merge()
    JournalEntry.objects.filter(merge=merge, section="points").update(after={"user_id": 1, "amount": 5})


def count_wrong() -> None:
    _, merge = a_merge()
    merge.counts["points"]["moved"] = 7
    merge.save()


def have_two_current() -> None:
    row = factories.EnrollmentFactory.create()
    run("DROP INDEX one_current_enrollment")
    Enrollment.objects.create(user=row.user, course=row.course)


def leave_a_row_behind() -> None:
    pair, _ = a_merge()
    PointEntry.objects.create(user=pair.source, amount=1, created_at=at(2020))


def go_in_a_circle() -> None:
    pair, _ = a_merge()
    User.objects.filter(pk=pair.destination.pk).update(merged_into=pair.source)


def merge_twice() -> None:
    _, merge = a_merge()
    run("DROP INDEX one_live_merge_per_source")
    merge.pk = None
    merge.save(force_insert=True)


def follow_another() -> None:
    _, merge = a_merge()
    _, other = a_merge()
    Merge.objects.filter(pk=merge.pk).update(follows=other)


def forget_the_survivor() -> None:
    pair, _ = a_merge()
    User.objects.filter(pk=pair.source.pk).update(merged_into=None)


def have_a_group_of_one() -> None:
    Membership.objects.create(user=factories.UserFactory.create(), group=LinkGroup.objects.create())


def link_to_oneself() -> None:
    user = factories.UserFactory.create()
    Link.objects.create(account=user, other=user)


def pair_one_way() -> None:
    one, other = factories.UserFactory.create_batch(2)
    LinkPair.objects.create(account=one, counterpart=other, finished_at=timezone.now())


def owe_nothing_but_have_one() -> None:
    record = factories.LearningRecordFactory.create()
    equivalency(record)


def equivalency(record: Any, **facts: Any) -> Any:
    return factories.LearningRecordFactory.create(
        course=record.course, origin="equivalency", equivalent_of=record, **facts
    )


def be_equivalent_to_an_equivalency() -> None:
    equivalency(equivalency(factories.LearningRecordFactory.create()))


def be_unlike_the_origin() -> None:
    equivalency(factories.LearningRecordFactory.create(), voided_at=at(2025))


def undo_by_half() -> None:
    pair, merge = a_merge()
    pair.undo(merge)
    PointEntry.objects.update(user=pair.destination)


def keep_what_was_added() -> None:
    pair, merge = a_merge()
    pair.undo(merge)
    added = JournalEntry.objects.filter(merge=merge, kind="add").first()
    assert added is not None
    alias = factories.AliasFactory.create(user=pair.destination)
    JournalEntry.objects.filter(pk=added.pk).update(ids=[alias.pk])


def forget_the_audit() -> None:
    a_merge()
    run("DELETE FROM audit_auditentry")


def forget_the_audit_of_the_undo() -> None:
    pair, merge = a_merge()
    pair.undo(merge)
    run("DELETE FROM audit_auditentry WHERE action = 'merge.undone'")


def take_the_trigger_away() -> None:
    run("ALTER TABLE audit_auditentry DISABLE TRIGGER USER")


def take_the_chain_away() -> None:
    run("ALTER TABLE audit_pending DISABLE TRIGGER audit_chain")


def alter_an_entry() -> None:
    a_merge()
    chain.settle()
    run("UPDATE audit_auditentry SET origin = 'elsewhere'")


BREAKS: list[tuple[int, Callable[[], None]]] = [
    (1, lose_a_row),
    (1, touch_an_amount),
    (1, count_wrong),
    (2, have_two_current),
    (3, leave_a_row_behind),
    (4, go_in_a_circle),
    (4, merge_twice),
    (4, follow_another),
    (4, forget_the_survivor),
    (5, have_a_group_of_one),
    (5, link_to_oneself),
    (5, pair_one_way),
    (6, owe_nothing_but_have_one),
    (6, be_equivalent_to_an_equivalency),
    (6, be_unlike_the_origin),
    (7, undo_by_half),
    (7, keep_what_was_added),
    (8, forget_the_audit),
    (8, forget_the_audit_of_the_undo),
    (8, take_the_trigger_away),
    (8, take_the_chain_away),
    (8, alter_an_entry),
]


@pytest.mark.parametrize(("law", "seed"), BREAKS, ids=[f"{law} {seed.__name__}" for law, seed in BREAKS])
def test_a_law_fires_on_its_break(law: int, seed: Callable[[], None]) -> None:
    seed()
    found = verify()
    assert law in {breach.law.number for breach in found}
    assert all(str(breach).startswith(f"Law {breach.law.number}") for breach in found)


def test_every_law_has_a_break() -> None:
    assert {law.number for law in LAWS} == {law for law, _ in BREAKS}


def test_they_hold_after_a_merge_an_undo_and_a_merge_again() -> None:
    pair, merge = a_merge()
    assert verify() == []
    pair.undo(merge)
    assert verify() == []
    pair.merge("keep_primary")
    PointEntry.objects.create(user=pair.source, amount=3)
    assert verify() == []
    again = pair.merge("keep_primary")
    assert again.follows_id is not None
    assert verify() == []
    assert AuditEntry.objects.filter(action__startswith="merge.").count() == 4


def test_the_command_names_the_rows_and_fails() -> None:
    out, err = StringIO(), StringIO()
    call_command("verify_laws", stdout=out, stderr=err)
    assert out.getvalue().count("holds") == len(LAWS)
    pair, _ = a_merge()
    row = PointEntry.objects.create(user=pair.source, amount=1, created_at=timezone.now() - timedelta(days=1))
    with pytest.raises(SystemExit) as exit_code:
        call_command("verify_laws", stdout=out, stderr=err)
    assert exit_code.value.code == 1
    assert f"rewards.PointEntry {row.pk} still points at account {pair.source.pk}" in err.getvalue()
