"""Link groups, and whoever did something: a power user is told of nobody out of their sight."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.urls import reverse
from pytest_django import Settings

from accounts.models import AssignedUser, ManagerAssignment, User
from consolidation import services as consolidation
from learning_records import services as records
from learning_records.models import Enrollment
from linking.models import Membership
from linking.services import link_accounts
from merging import services as merging
from merging import tasks
from merging.models import Merge
from rewards.models import PointEntry
from tests.desk import Desk, hidden, hidden_root, merge_away
from tests.factories import (
    CourseFactory,
    EnrollmentFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def root() -> User:
    return hidden_root()


@pytest.fixture
def desk() -> Desk:
    return Desk()


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
