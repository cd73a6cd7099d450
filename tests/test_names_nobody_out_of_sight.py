"""A power user learns nothing about an account that isn't assigned to them, wherever an answer names other accounts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import AssignedUser, ManagerAssignment, User
from accounts.services import create_token
from consolidation import services as consolidation
from learning_records import services as records
from learning_records.models import Enrollment, LearningRecord
from linking.models import Membership
from linking.services import link_accounts
from merging import services as merging
from merging import tasks
from merging.models import Merge
from rewards.models import PointEntry
from tests.factories import (
    BadgeFactory,
    CertificationFactory,
    CourseFactory,
    EnrollmentFactory,
    LearningPlanFactory,
    PowerUserFactory,
    RewardFactory,
    SubscriptionFactory,
    SubscriptionPlanFactory,
    SuperadminFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
CANARY, FIRST_ID = "hiddencanary", 987_654_000
DAY = "2026-01-01T12:00:00Z"


@pytest.fixture
def root() -> User:
    return SuperadminFactory.create(
        pk=FIRST_ID, username=f"{CANARY}.root", email=f"{CANARY}.r@e.org", first_name=CANARY, last_name="Root"
    )


def hidden(number: int) -> User:
    name = f"{CANARY}.{number}"
    return UserFactory.create(
        pk=FIRST_ID + number, username=name, email=f"{name}@e.org", first_name=CANARY, last_name=f"H{number}"
    )


class Desk:
    """A power user with both doors, and two learners that are assigned to her."""

    def __init__(self) -> None:
        self.actor: User = PowerUserFactory.create(
            username="paula", rights=["users.view", "users.edit", "users.delete"]
        )
        self.one: User = UserFactory.create(username="one")
        self.two: User = UserFactory.create(username="two")
        for account in (self.one, self.two):
            AssignedUser.objects.create(power_user=self.actor, user=account)
        self.pages = Client()
        self.pages.force_login(self.actor)
        self.api = APIClient(raise_request_exception=False)
        self.api.credentials(HTTP_AUTHORIZATION=f"Bearer {create_token(owner=self.actor)[0]}")

    def get(self, address: str) -> Any:
        response = (self.api if address.startswith("/api/") else self.pages).get(address)
        assert response.status_code == 200, (address, response.content)
        return checked(response)

    def post(self, address: str, body: Any) -> Any:
        return checked(self.api.post(f"/api/v1/{address}/", body, format="json"))


def checked(response: Any) -> Any:
    """No answer holds a name or an id of an account out of sight, in its body or its headers."""
    text = (response.content.decode() + str(response.headers)).lower()
    assert CANARY not in text
    assert str(FIRST_ID)[:6] not in text
    return response


@pytest.fixture
def desk() -> Desk:
    return Desk()


def merge_away(root: User, source: User, survivor: User) -> None:
    merging.request_merge(actor=root, source_id=source.pk, destination_id=survivor.pk, policy="keep_primary")


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


def link_up(*accounts: User) -> None:
    for other in accounts[1:]:
        link_accounts(caller_id=accounts[0].pk, other_id=other.pk, generate_equivalencies=True)


class TestLinkGroups:
    def test_asking_for_a_member_out_of_sight_finds_nothing(self, desk: Desk) -> None:
        other = hidden(1)
        link_up(desk.one, other)
        group = Membership.objects.get(user=desk.one).group_id
        assert [row["id"] for row in desk.get(f"/api/v1/link-groups/?user={desk.one.pk}").json()["results"]] == [group]
        assert desk.api.get(f"/api/v1/link-groups/?user={other.pk}").json()["results"] == []
        assert desk.get(f"/api/v1/link-groups/{group}/").json()["accounts"] == [desk.one.pk]

    @pytest.mark.parametrize("both_linked", [True, False])
    def test_merging_linked_accounts_names_the_two_alone(self, desk: Desk, both_linked: bool) -> None:
        link_up(desk.one, hidden(1), hidden(2))
        if both_linked:
            link_up(desk.two, hidden(3))
        body = {"source": desk.one.pk, "destination": desk.two.pk, "policy": "keep_primary"}
        preview = desk.post("merges/preview", body).json()
        assert next(section for section in preview["sections"] if section["key"] == "links")["rows"]
        query = f"source={desk.one.pk}&destination={desk.two.pk}&policy=keep_primary&tab=links"
        desk.get(f"{reverse('merging:new')}?{query}")
        merge = desk.post("merges", body).json()
        assert merge["status"] == "done"
        assert desk.get(f"/api/v1/merges/{merge['id']}/changes/?page_size=500").json()["results"]
        desk.get(f"/api/v1/merges/{merge['id']}/")
        desk.get(f"{reverse('merging:merge', args=[merge['id']])}?tab=links")
        desk.get(f"/users/{desk.two.pk}/")

    def test_who_linked_whom_names_no_account_that_was_merged_away_out_of_sight(self, desk: Desk, root: User) -> None:
        gone = hidden(1)
        link_up(gone, desk.two)
        merge_away(root, gone, desk.one)
        page = desk.get(f"/users/{desk.two.pk}/").content.decode()
        assert "Who linked whom" in page


class TestWhoDidIt:
    def test_a_user_page_names_no_manager_and_no_admin_out_of_sight(self, desk: Desk, root: User) -> None:
        ManagerAssignment.objects.create(user=desk.one, manager=hidden(1))
        ManagerAssignment.objects.create(user=hidden(2), manager=desk.one)
        records.enroll(
            desk.one.pk,
            CourseFactory.create().pk,
            {"status": "completed", "completed_at": datetime(2026, 1, 1, tzinfo=UTC)},
            actor_id=root.pk,
            by_hand=True,
        )
        desk.get(f"/users/{desk.one.pk}/?history=1")
        desk.get(f"/api/v1/users/{desk.one.pk}/")
        row = Enrollment.objects.get()
        assert "an administrator" in desk.get(f"/enrollments/{row.pk}/").content.decode()
        body = {"source": desk.one.pk, "destination": desk.two.pk}
        desk.post("merges/preview", body)

    def test_an_enrollment_names_no_account_out_of_sight_that_it_came_from(self, desk: Desk, root: User) -> None:
        row = EnrollmentFactory.create(user=hidden(1), status="enrolled")
        merge_away(root, row.user, desk.one)
        desk.get(f"/enrollments/{row.pk}/")
        desk.get(f"/api/v1/enrollments/{row.pk}/")

    def test_a_merge_names_no_admin_out_of_sight(self, desk: Desk, root: User) -> None:
        merge_away(root, desk.one, desk.two)
        merge = Merge.objects.get()
        desk.get(reverse("merging:merge", args=[merge.pk]))
        desk.get(reverse("merging:merges"))
        desk.get(f"/api/v1/merges/{merge.pk}/")
        desk.get(f"/users/{desk.two.pk}/")

    def test_a_consolidation_names_no_admin_out_of_sight(self, desk: Desk, root: User) -> None:
        found = consolidation.start(actor=root, account=desk.one, other=desk.two)
        consolidation.choose_primary(actor=root, consolidation_id=found.pk, account_id=desk.one.pk)
        course = CourseFactory.create().pk
        day = {"status": "completed", "completed_at": datetime(2026, 1, 1, tzinfo=UTC)}
        records.enroll(desk.one.pk, course, day, actor_id=root.pk, by_hand=True)
        desk.get(reverse("consolidation:index"))
        desk.get(reverse("consolidation:update", args=[found.pk]))

    def test_her_own_page_names_no_assigned_account_that_is_out_of_sight_by_now(self, desk: Desk, root: User) -> None:
        promoted = hidden(1)
        AssignedUser.objects.create(power_user=desk.actor, user=promoted)
        User.objects.filter(pk=promoted.pk).update(role="power_user")
        assert len(desk.get(f"/api/v1/users/{desk.actor.pk}/").json()["assigned_users"]) == 2


def test_a_failed_merge_of_hers_names_no_survivor_to_others(desk: Desk, root: User, settings: Settings) -> None:
    settings.MERGE_INLINE_LIMIT = 0
    PointEntry.objects.create(user=desk.one, amount=1)
    queued = merging.request_merge(actor=root, source_id=desk.one.pk, destination_id=desk.two.pk, policy="keep_primary")
    settings.MERGE_INLINE_LIMIT = 1000
    merge_away(root, desk.one, hidden(1))
    tasks.run_merge(queued.pk)
    queued.refresh_from_db()
    assert queued.error_code == "already_merged"
    desk.get(f"/api/v1/merges/{queued.pk}/")
    desk.get(reverse("merging:merge", args=[queued.pk]))
