"""A power user learns nothing about an account that isn't assigned to them, wherever an answer names other accounts."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from rest_framework.test import APIClient

from accounts.models import User
from accounts.services import create_token
from learning_records.models import LearningRecord
from rewards.models import PointEntry
from tests.desk import Desk, checked, hidden, hidden_root, merge_away
from tests.factories import (
    BadgeFactory,
    CertificationFactory,
    CourseFactory,
    EnrollmentFactory,
    LearningPlanFactory,
    RewardFactory,
    SubscriptionFactory,
    SubscriptionPlanFactory,
)

pytestmark = pytest.mark.django_db
DAY = "2026-01-01T12:00:00Z"


@pytest.fixture
def root() -> User:
    return hidden_root()


@pytest.fixture
def desk() -> Desk:
    return Desk()


def bodies(user: int) -> dict[str, dict[str, Any]]:
    """A good body for every resource that is written for an account."""
    return {
        "enrollments": {"user": user, "course": CourseFactory.create().pk},
        "learning-records": {"user": user, "kind": "activity", "title": "First aid", "completed_at": DAY},
        "certificates": {"user": user, "course": CourseFactory.create().pk},
        "certification-awards": {"user": user, "certification": CertificationFactory.create().pk},
        "competency-awards": {"user": user, "competency": "swimming", "level": 1},
        "external-trainings": {"user": user, "title": "First aid"},
        "learning-plan-enrollments": {"user": user, "learning_plan": LearningPlanFactory.create().pk},
        "badge-awards": {"user": user, "badge": BadgeFactory.create().pk},
        "point-entries": {"user": user, "amount": 5},
        "coin-entries": {"user": user, "amount": 5},
        "reward-requests": {"user": user, "reward": RewardFactory.create().pk},
        "subscriptions": {"user": user, "plan": SubscriptionPlanFactory.create().pk},
        "transactions": {"user": user, "amount": "1.00", "currency": "EUR"},
    }


RESOURCES = [
    "enrollments",
    "learning-records",
    "certificates",
    "certification-awards",
    "competency-awards",
    "external-trainings",
    "learning-plan-enrollments",
    "badge-awards",
    "point-entries",
    "coin-entries",
    "reward-requests",
    "subscriptions",
    "transactions",
]


class TestASourceWhoseSurvivorIsOutOfSight:
    @pytest.mark.parametrize("resource", RESOURCES)
    @pytest.mark.parametrize("many", [False, True])
    def test_rest_answers_as_for_an_account_that_does_not_exist(
        self, desk: Desk, root: User, resource: str, many: bool
    ) -> None:
        merge_away(root, desk.one, hidden(1))
        answers = []
        for user in (desk.one.pk, 10**9):
            body = bodies(user)[resource]
            response = desk.post(resource, [bodies(desk.two.pk)[resource], body] if many else body)
            answers.append((response.status_code, response.json(), "Written-To-Survivor" in response.headers))
        assert answers[0] == answers[1]
        assert answers[0][0] == 404
        assert answers[0][1]["errors"][0]["code"] == "does_not_exist"

    def test_a_page_answers_as_for_an_address_that_does_not_exist(self, desk: Desk, root: User) -> None:
        merge_away(root, desk.one, hidden(1))
        form = {"kind": "activity", "title": "First aid", "completed_on": "2026-01-01"}
        assert desk.pages.post(f"/users/{desk.one.pk}/records/new/", form).status_code == 404
        course = {"course": CourseFactory.create().pk}
        assert desk.pages.post(f"/users/{desk.one.pk}/enroll/", course).status_code == 404
        assert not LearningRecord.objects.exists()

    def test_a_superadmin_writes_for_the_survivor_and_is_told(self, root: User, desk: Desk) -> None:
        survivor = hidden(1)
        merge_away(root, desk.one, survivor)
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {create_token(owner=root)[0]}")
        response = client.post("/api/v1/point-entries/", {"user": desk.one.pk, "amount": 5}, format="json")
        assert response.headers["Written-To-Survivor"] == f"{desk.one.pk}={survivor.pk}"
        assert PointEntry.objects.get().user_id == survivor.pk

    def test_a_row_that_a_merge_took_out_of_sight_is_gone_at_its_address(self, desk: Desk, root: User) -> None:
        row = EnrollmentFactory.create(user=desk.one, status="enrolled")
        merge_away(root, desk.one, hidden(1))
        for method, address, body in (
            ("patch", f"enrollments/{row.pk}", {"progress": 5}),
            ("post", f"enrollments/{row.pk}/void", {"reason": "x"}),
        ):
            there = getattr(desk.api, method)(f"/api/v1/{address}/", body, format="json")
            nowhere = getattr(desk.api, method)(
                f"/api/v1/{address.replace(str(row.pk), '999999')}/", body, format="json"
            )
            assert (there.status_code, there.json()) == (nowhere.status_code, nowhere.json())
            assert there.status_code == 404

    def test_what_stayed_on_the_source_can_be_changed(self, desk: Desk, root: User) -> None:
        merge_away(root, desk.one, hidden(1))
        stayed = SubscriptionFactory.create(user=desk.one)
        response = desk.api.patch(f"/api/v1/subscriptions/{stayed.pk}/", {"status": "released"}, format="json")
        assert checked(response).status_code == 200

    @pytest.mark.parametrize("resource", ["", "transcript/"])
    def test_the_account_names_no_survivor(self, desk: Desk, root: User, resource: str) -> None:
        EnrollmentFactory.create(user=desk.one)
        merge_away(root, desk.one, hidden(1))
        desk.get(f"/api/v1/users/{desk.one.pk}/{resource}")
        desk.get(f"/users/{desk.one.pk}/?history=1")

    def test_changing_it_names_no_survivor(self, desk: Desk, root: User) -> None:
        merge_away(root, desk.one, hidden(1))
        response = desk.api.patch(f"/api/v1/users/{desk.one.pk}/", {"phone": "1"}, format="json")
        assert checked(response).json()["code"] == "already_merged"

    @pytest.mark.parametrize("roles", [("one", "two"), ("two", "one")])
    def test_no_preview_and_no_refusal_names_the_survivor(self, desk: Desk, root: User, roles: tuple[str, str]) -> None:
        merge_away(root, desk.one, hidden(1))
        source, destination = (getattr(desk, name).pk for name in roles)
        body = {"source": source, "destination": destination}
        preview = desk.post("merges/preview", body).json()
        assert preview["blockers"]
        desk.post("merges", body)
        desk.get(f"{reverse('merging:new')}?source={source}&destination={destination}&policy=best_record&step=4")
