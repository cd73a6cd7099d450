"""What is done is answered as done, whatever the broker does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from bulk.models import Import
from hints.tests.test_sending import BREAKS
from learning_records.models import LearningRecord
from merging.models import Merge
from tests.brokers import Broker
from tests.factories import PASSWORD, CourseFactory, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)
CSV = b"username,phone\njane,2\n"


def pair(name: str) -> dict[str, Any]:
    return {"source": UserFactory.create(username=f"{name}1").pk, "destination": UserFactory.create().pk}


@pytest.mark.parametrize("fail", BREAKS)
def test_every_door_answers_as_usual(
    broker: Broker,
    fail: Callable[[Broker], None],
    api: Any,
    caller: Any,
    client: Client,
    superadmin: User,
    learner: User,
    settings: Any,
) -> None:
    course = CourseFactory.create()
    UserFactory.create(username="other", password=PASSWORD)
    client.force_login(superadmin)
    fail(broker)
    record = {"user": learner.pk, "kind": "course", "course": course.pk, "completed_at": "2026-01-01T00:00:00Z"}
    enrollment = {"user": learner.pk, "course": course.pk, "status": "completed"}
    answers = [
        api.post("/api/v1/merges/", pair("a") | {"notify": True}, format="json"),
        api.post("/api/v1/learning-records/", record, format="json"),
        api.post("/api/v1/enrollments/", enrollment, format="json"),
        caller(learner).post("/api/v1/links/", {"username": "other", "password": PASSWORD}, format="json"),
        client.post("/imports/users/upload/", {"file": SimpleUploadedFile("u.csv", CSV)}),
        client.post("/forgotten-password/", {"email": learner.email}),
        client.post("/admin/merging/merge/add/", pair("b") | {"policy": "best_record", "notify": "on"}),
    ]
    assert [answer.status_code for answer in answers] == [201, 201, 201, 201, 302, 302, 302]
    settings.MERGE_INLINE_LIMIT = 0
    assert api.post("/api/v1/merges/", pair("c"), format="json").status_code == 202
    assert Merge.objects.count() == 3
    assert LearningRecord.objects.filter(user=learner).count() == 2
    assert Import.objects.exists()
