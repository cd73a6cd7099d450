"""Merges against the reference model: random pairs of accounts, every kind of data, both policies, all choices."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from learning_records.models import Enrollment
from merging import services
from merging.models import Merge
from tests import dumps
from tests.reference import worlds
from tests.reference.model import merged
from tests.reference.question import Question
from tests.reference.scenes import Catalogue, build, scenes

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "500"))
BATCH = 500  # in one transaction, whose dead rows nobody can vacuum away
SIDES = st.sampled_from(["source", "destination"])
FIELDS = ["first_name", "phone", "employee_number", "birth_date", 0, 1]

questions = st.fixed_dictionaries(
    {
        "policy": st.sampled_from(["best_record", "best_record", "keep_primary"]),
        "merge_profile": st.booleans(),
        "merge_enrollments": st.sampled_from([True, True, False]),
        "fields": st.dictionaries(st.sampled_from(FIELDS), SIDES, max_size=3),
        "courses": st.dictionaries(st.integers(0, 2), SIDES, max_size=2),
        "swapped": st.booleans(),
    }
)


@contextmanager
def taken_back() -> Iterator[None]:
    """What happens in here leaves no trace."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def a_question(drawn: dict[str, Any], there: Catalogue) -> Question:
    source, destination = (there.people[1], there.people[0]) if drawn["swapped"] else there.people[:2]
    ask = Question(source.pk, destination.pk, drawn["policy"])
    if ask.best_record:
        ask.merge_profile, ask.merge_enrollments = drawn["merge_profile"], drawn["merge_enrollments"]
        ask.fields = {there.fields[k].key if isinstance(k, int) else k: side for k, side in drawn["fields"].items()}
        current = Enrollment.objects.current().values_list("user_id", "course_id")
        shared = {course for _, course in current if {(p, course) for p in (source.pk, destination.pk)} <= set(current)}
        ask.courses = {
            there.courses[k].pk: side for k, side in drawn["courses"].items() if there.courses[k].pk in shared
        }
    return ask


def merge(ask: Question, there: Catalogue) -> Merge:
    return services.request_merge(
        actor=there.actor,
        source_id=ask.source,
        destination_id=ask.destination,
        policy=ask.policy,
        choices=ask.choices(),
    )


@pytest.mark.covers("P.2", "P.4", "P.5", "S2.1", "S3.20")
@pytest.mark.django_db
@pytest.mark.timeout(300 + BATCH * 3)
@pytest.mark.parametrize("batch", range(max(1, EXAMPLES // BATCH)))
def test_a_merge_equals_the_model_and_an_undo_restores_all(batch: int) -> None:
    there = Catalogue.make()

    @settings(max_examples=min(EXAMPLES, BATCH), deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(scenes, questions)
    def check(scene: Any, drawn: Any) -> None:
        with taken_back():
            build(scene, there)
            ask = a_question(drawn, there)
            before = dumps.dump()
            expected = merged(worlds.load(), ask)
            done = merge(ask, there)
            assert worlds.differences(expected, worlds.load()) == []
            services.undo_merge(actor=there.actor, merge_id=done.pk, reason="")
            assert dumps.differences(before, dumps.dump()) == {}
            again = services.preview(
                actor=there.actor,
                source_id=ask.source,
                destination_id=ask.destination,
                policy=ask.policy,
                choices=ask.choices(),
            )
            assert again.digest == done.digest

    check()
