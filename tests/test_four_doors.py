"""The wizard, REST, the admin site and a worker's task merge alike: the same rows, the same journal."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.services import create_token
from merging import services, tasks
from merging.models import JournalEntry, Merge
from tests.dumps import dump
from tests.factories import (
    BadgeAwardFactory,
    CertificateFactory,
    CoinEntryFactory,
    CompetencyAwardFactory,
    CourseFactory,
    EnrollmentFactory,
    ExternalTrainingFactory,
    LearningPlanEnrollmentFactory,
    LearningRecordFactory,
    MaterialTrackingFactory,
    PointEntryFactory,
    ProfileValueFactory,
    RewardRequestFactory,
    SubscriptionFactory,
    TransactionFactory,
)
from tests.merging_cases import Pair

pytestmark = pytest.mark.django_db

NOT_THE_MERGE = ("accounts_session", "accounts_apitoken")
BY_THE_CLOCK = ("created_at", "last_login")

Door = Callable[[Pair, str], None]


@pytest.fixture
def pair() -> Pair:
    """Two accounts with something of every kind, and a course that both have."""
    pair = Pair.make()
    source, destination = pair.source, pair.destination
    shared, alone = CourseFactory.create(), CourseFactory.create()
    tracked = EnrollmentFactory.create(user=source, course=shared, completed=True, score=90)
    MaterialTrackingFactory.create(enrollment=tracked)
    EnrollmentFactory.create(user=destination, course=shared, completed=True, score=60)
    EnrollmentFactory.create(user=source, course=alone)
    CertificateFactory.create(user=source, course=shared, score=90)
    CertificateFactory.create(user=destination, course=shared, score=60)
    kinds = (
        BadgeAwardFactory,
        CoinEntryFactory,
        CompetencyAwardFactory,
        ExternalTrainingFactory,
        LearningPlanEnrollmentFactory,
        LearningRecordFactory,
        PointEntryFactory,
        ProfileValueFactory,
        RewardRequestFactory,
        SubscriptionFactory,
        TransactionFactory,
    )
    for factory in kinds:
        factory.create(user=source)
    return pair


def wizard(pair: Pair, policy: str) -> None:
    client = Client()
    client.force_login(pair.actor)
    address = f"/merges/new/?source={pair.source.pk}&destination={pair.destination.pk}&policy={policy}&step=4"
    digest = re.search(r'name="digest" value="(\w+)"', client.get(address, follow=True).content.decode())
    assert digest
    assert client.post(address, {"digest": digest[1]}).status_code == 302


def rest(pair: Pair, policy: str) -> None:
    key, _ = create_token(owner=pair.actor)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    body = {"source": pair.source.pk, "destination": pair.destination.pk, "policy": policy}
    assert client.post("/api/v1/merges/", body, format="json").status_code == 201


def admin_site(pair: Pair, policy: str) -> None:
    client = Client()
    client.force_login(pair.actor)
    form = {"source": pair.source.pk, "destination": pair.destination.pk, "policy": policy}
    assert client.post("/admin/merging/merge/add/", form).status_code == 302


def task(pair: Pair, policy: str) -> None:
    merge = services.request_merge(
        actor=pair.actor, source_id=pair.source.pk, destination_id=pair.destination.pk, policy=policy
    )
    if merge.status == Merge.Status.QUEUED:
        tasks.run_merge(merge.pk)


DOORS: dict[str, Door] = {"wizard": wizard, "REST": rest, "admin": admin_site, "task": task}


@pytest.mark.covers("P.1")
@pytest.mark.parametrize("policy", ["best_record", "keep_primary"])
def test_every_door_leaves_the_same_rows(pair: Pair, policy: str, settings: Settings) -> None:
    known = {table: {row["id"] for row in rows} for table, rows in rows_by_table()}
    results = {}
    for name, door in DOORS.items():
        settings.MERGE_INLINE_LIMIT = 0 if name == "task" else 20_000
        with transaction.atomic():
            door(pair, policy)
            merge = Merge.objects.get()
            assert (merge.status, merge.policy) == ("done", policy), name
            results[name] = (rows_after(known), journal_of(merge), merge.counts)
            transaction.set_rollback(True)
    for name, result in results.items():
        assert result == results["wizard"], name


def rows_by_table() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    for table, rows in dump().items():
        if table not in NOT_THE_MERGE:
            yield table, [json.loads(row) for row in rows]


def rows_after(known: dict[str, set[int]]) -> dict[str, list[str]]:
    """All rows; those that a merge added without their ids, which no two merges share."""
    found = {}
    for table, rows in rows_by_table():
        for row in rows:
            for column in BY_THE_CLOCK:
                row.pop(column, None)
            if row["id"] not in known[table]:
                del row["id"]
        found[table] = sorted(json.dumps(row, sort_keys=True) for row in rows)
    return found


def journal_of(merge: Merge) -> list[Any]:
    entries = JournalEntry.objects.filter(merge=merge).exclude(kind="add")
    columns = ("section", "model", "kind", "outcome", "reason", "ids", "before", "after", "what", "detail")
    return list(entries.values_list(*columns))
