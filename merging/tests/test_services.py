"""One merge from preview to undo, seen through the services alone."""

from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from audit.models import AuditEntry, OutboxEvent
from learning_records.models import Course, Enrollment
from merging import services
from merging.errors import ChoicesInvalid, MergeRefused, PlanIsStale, RowsHaveChanged, RowsUnaccounted, UndoRefused
from merging.handlers import registered
from merging.models import JournalEntry, Merge
from rewards.models import PointEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> tuple[User, User, User]:
    """A superadmin, a source and a destination."""
    make = User.objects.create_user
    boss = make("boss", "boss@example.org", role="superadmin")
    source = make("jane.doe", "jd@example.org", first_name="Jane", last_name="Doe", phone="1")
    return boss, source, make("jane.smith", "js@example.org", first_name="Jane", last_name="Smith", phone="2")


@pytest.fixture
def rows(people: tuple[User, User, User]) -> list[Course]:
    """Two courses: one only on the source, one on both with the better score on the source; and some points."""
    _, source, destination = people
    alone, shared = (Course.objects.create(title=title) for title in ("Alone", "Shared"))
    now = timezone.now()
    done = {"status": "completed", "completed_at": now}
    Enrollment.objects.create(user=source, course=alone, **done, score=50)
    Enrollment.objects.create(user=source, course=shared, **done, score=90)
    Enrollment.objects.create(user=destination, course=shared, **done, score=70)
    PointEntry.objects.create(user=source, amount=5)
    PointEntry.objects.create(user=destination, amount=7)
    return [alone, shared]


def ask(people: tuple[User, User, User], **more: Any) -> dict[str, Any]:
    boss, source, destination = people
    return {"actor": boss, "source_id": source.pk, "destination_id": destination.pk, "policy": "best_record"} | more


def snapshot() -> list[Any]:
    tables = (User, Enrollment, PointEntry)
    return [list(model._default_manager.order_by("pk").values()) for model in tables]


def test_it_does_what_the_preview_said(people: tuple[User, User, User], rows: list[Course]) -> None:
    _, source, destination = people
    plan = services.preview(**ask(people))
    merge = services.request_merge(**ask(people, digest=plan.digest))
    assert merge.status == Merge.Status.DONE
    assert merge.counts == plan.counts()
    current = Enrollment.objects.current().filter(user=destination).values_list("course__title", "score")
    assert dict(current) == {"Alone": Decimal(50), "Shared": Decimal(90)}
    assert Enrollment.objects.historical().get(user=destination).score == 70
    assert not Enrollment.objects.filter(user=source).exists()
    assert PointEntry.objects.filter(user=destination).count() == 2


def test_it_previews_without_writing(people: tuple[User, User, User], rows: list[Course]) -> None:
    before = snapshot()
    assert services.preview(**ask(people)).digest == services.preview(**ask(people)).digest
    assert snapshot() == before
    assert not Merge.objects.exists()


def test_it_undoes_exactly(people: tuple[User, User, User], rows: list[Course]) -> None:
    before, plan = snapshot(), services.preview(**ask(people))
    merge = services.request_merge(**ask(people))
    assert snapshot() != before
    services.undo_merge(actor=people[0], merge_id=merge.pk, reason="wrong person")
    assert snapshot() == before
    assert services.preview(**ask(people)).digest == plan.digest


def test_it_tries_an_undo_without_writing(people: tuple[User, User, User], rows: list[Course]) -> None:
    merge = services.request_merge(**ask(people))
    after = snapshot()
    services.preview_undo(actor=people[0], merge_id=merge.pk)
    assert snapshot() == after


def test_a_row_that_a_handler_forgets_calls_the_merge_off(
    people: tuple[User, User, User], rows: list[Course], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = snapshot()
    points = next(handler for handler in registered() if handler.key == "points")
    monkeypatch.setattr(type(points), "plan", lambda handler, case: iter(()))
    with pytest.raises(RowsUnaccounted):
        services.request_merge(**ask(people))
    assert snapshot() == before
    assert not Merge.objects.exists()


@pytest.mark.covers("P.10")
def test_it_refuses_a_stale_plan_and_says_what_changed(people: tuple[User, User, User], rows: list[Course]) -> None:
    plan = services.preview(**ask(people))
    Enrollment.objects.filter(user=people[2]).update(score=95)
    before = snapshot()
    with pytest.raises(PlanIsStale) as refusal:
        services.request_merge(**ask(people, digest=plan.digest))
    assert refusal.value.facts == {"sections": ["Enrollments"]}
    assert snapshot() == before


def test_it_refuses_to_undo_over_later_work(people: tuple[User, User, User], rows: list[Course]) -> None:
    merge = services.request_merge(**ask(people))
    moved = Enrollment.objects.get(course=rows[0])
    moved.is_historical = True
    moved.user = people[1]
    moved.save()
    with pytest.raises(RowsHaveChanged) as refusal:
        services.undo_merge(actor=people[0], merge_id=merge.pk, reason="")
    assert {"model": "learning_records.Enrollment", "id": moved.pk} in refusal.value.facts["rows"]


def test_it_names_later_rows_that_stand_in_the_way_of_an_undo(
    people: tuple[User, User, User], rows: list[Course]
) -> None:
    merge = services.request_merge(**ask(people))
    again = Enrollment.objects.create(user=people[1], course=rows[0])
    before = snapshot()
    for undo in (services.preview_undo, partial(services.undo_merge, reason="")):
        with pytest.raises(RowsHaveChanged) as refusal:
            undo(actor=people[0], merge_id=merge.pk)
        assert refusal.value.facts == {"rows": [{"model": "learning_records.Enrollment", "id": again.pk}]}
    assert snapshot() == before


def test_it_keeps_progress_made_after_the_merge(people: tuple[User, User, User], rows: list[Course]) -> None:
    merge = services.request_merge(**ask(people))
    Enrollment.objects.filter(course=rows[0]).update(progress=88)
    services.undo_merge(actor=people[0], merge_id=merge.pk, reason="")
    kept = Enrollment.objects.get(course=rows[0])
    assert (kept.user, kept.progress) == (people[1], 88)


def test_it_closes_the_undo_window(people: tuple[User, User, User], rows: list[Course]) -> None:
    merge = services.request_merge(**ask(people))
    Merge.objects.update(undo_until=timezone.now() - timedelta(seconds=1))
    with pytest.raises(UndoRefused) as refusal:
        services.undo_merge(actor=people[0], merge_id=merge.pk, reason="")
    assert refusal.value.code == "undo_window_closed"


def test_it_undoes_the_last_merge_first(people: tuple[User, User, User], rows: list[Course]) -> None:
    boss, _, destination = people
    third = User.objects.create_user("j.smith", "third@example.org", first_name="Jane", last_name="Smith")
    first = services.request_merge(**ask(people))
    chain: dict[str, Any] = {
        "actor": boss,
        "source_id": destination.pk,
        "destination_id": third.pk,
        "policy": "best_record",
    }
    second = services.request_merge(**chain)
    with pytest.raises(UndoRefused) as refusal:
        services.undo_merge(actor=boss, merge_id=first.pk, reason="")
    assert (refusal.value.code, refusal.value.facts) == ("undo_later_merge_first", {"merge": second.pk})
    services.undo_merge(actor=boss, merge_id=second.pk, reason="")
    services.undo_merge(actor=boss, merge_id=first.pk, reason="")


def test_it_queues_a_large_merge(people: tuple[User, User, User], rows: list[Course], settings: Any) -> None:
    settings.MERGE_INLINE_LIMIT = 1
    before = snapshot()
    merge = services.request_merge(**ask(people))
    assert merge.status == Merge.Status.QUEUED
    assert snapshot() == before
    assert services.execute_merge(merge.pk).status == Merge.Status.DONE
    assert services.execute_merge(merge.pk).status == Merge.Status.DONE
    assert Merge.objects.count() == 1


def test_it_keeps_why_a_queued_merge_failed(people: tuple[User, User, User], rows: list[Course], settings: Any) -> None:
    settings.MERGE_INLINE_LIMIT = 1
    merge = services.request_merge(**ask(people))
    PointEntry.objects.create(user=people[1], amount=1)
    before = snapshot()
    failed = services.execute_merge(merge.pk)
    assert (failed.status, failed.error_code) == (Merge.Status.FAILED, "plan_is_stale")
    assert snapshot() == before


def test_it_tells_the_audit_log_and_the_outbox(people: tuple[User, User, User], rows: list[Course]) -> None:
    merge = services.request_merge(**ask(people, origin="203.0.113.7"))
    services.undo_merge(actor=people[0], merge_id=merge.pk, reason="mistake")
    entries = AuditEntry.objects.filter(action__startswith="merge.").order_by("id").values_list("action", "origin")
    assert list(entries) == [("merge.done", "203.0.113.7"), ("merge.undone", "")]
    assert list(OutboxEvent.objects.order_by("id").values_list("kind", flat=True)) == ["merge.done", "merge.undone"]


def test_it_refuses_one_account_twice(people: tuple[User, User, User]) -> None:
    with pytest.raises(MergeRefused) as refusal:
        services.request_merge(**ask(people, destination_id=people[1].pk))
    assert refusal.value.code == "same_account"


@pytest.mark.parametrize(
    ("choices", "field"),
    [
        ("all", "choices"),
        ({"everything": True}, "choices.everything"),
        ({"profile": {"merge": "yes"}}, "choices.profile.merge"),
        ({"profile": {"fields": {"phone": "both"}}}, "choices.profile.fields.phone"),
        ({"enrollments": {"courses": {"one": "source"}}}, "choices.enrollments.courses.one"),
    ],
)
def test_it_names_the_choice_that_is_wrong(people: tuple[User, User, User], choices: Any, field: str) -> None:
    with pytest.raises(ChoicesInvalid) as refusal:
        services.preview(**ask(people, choices=choices))
    assert [error["field"] for error in refusal.value.errors] == [field]


def test_it_journals_ids_and_not_images(people: tuple[User, User, User], rows: list[Course]) -> None:
    merge = services.request_merge(**ask(people))
    points = JournalEntry.objects.get(merge=merge, section="points")
    assert points.ids == list(PointEntry.objects.filter(amount=5).values_list("pk", flat=True))
    assert points.before == {"user_id": people[1].pk}


def test_a_queued_merge_is_queued_once(people: tuple[User, User, User], rows: list[Course], settings: Any) -> None:
    settings.MERGE_INLINE_LIMIT = 0
    first, second = (services.request_merge(**ask(people)) for _ in range(2))
    assert first == second
    assert Merge.objects.count() == 1
