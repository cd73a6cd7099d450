"""Somebody with rights over two learners, the ways to lose them, and what could have been written meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.test import Client
from rest_framework.test import APIClient

from accounts.models import AssignedBranch, AssignedUser, Branch, User
from accounts.services import change_branch, create_token, deactivate, update_user
from commerce.models import Transaction
from learning_records.models import Enrollment, ExternalTraining, LearningRecord
from rewards.models import PointEntry
from tests.factories import BranchFactory, BranchMembershipFactory, PowerUserFactory, SuperadminFactory, UserFactory


class Cast:
    """A superadmin, and a power user with Users/View and Users/Edit over one learner."""

    def __init__(self) -> None:
        self.root: User = SuperadminFactory.create(username="root")
        self.learner: User = UserFactory.create(username="jane")
        self.other: User = UserFactory.create(username="jane.two")
        self.actor: User = PowerUserFactory.create(username="paula")
        for account in (self.learner, self.other):
            AssignedUser.objects.create(power_user=self.actor, user=account)

    def change(self, **data: Any) -> None:
        update_user(actor=self.root, account_id=self.actor.pk, data=data)

    def by_branch(self) -> Branch:
        """The learners are assigned by their branch, below one of hers, in place of directly."""
        top: Branch = BranchFactory.create(name="Top")
        self.branch: Branch = BranchFactory.create(name="Branch", parent=top)
        AssignedUser.objects.all().delete()
        AssignedBranch.objects.create(power_user=self.actor, branch=top)
        for account in (self.learner, self.other):
            BranchMembershipFactory.create(user=account, branch=self.branch)
        return self.branch

    def client(self) -> Client:
        client = Client()
        client.force_login(self.actor)
        return client

    def api(self) -> APIClient:
        key, _ = create_token(owner=self.actor)
        client = APIClient(raise_request_exception=False)
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
        client.get("/api/v1/courses/")  # so that the next request doesn't wait to note when the token was used
        return client


LOSSES: Mapping[str, Callable[[Cast], object]] = {
    "the right": lambda cast: cast.change(rights=["users.view"]),
    "the role": lambda cast: cast.change(role="learner"),
    "the account": lambda cast: deactivate(actor=cast.root, account_id=cast.actor.pk),
    "the assignment": lambda cast: cast.change(assigned_users=[]),
}
MOVES: Mapping[str, Callable[[Cast], object]] = {
    "the learner leaves the branch": lambda cast: update_user(
        actor=cast.root, account_id=cast.learner.pk, data={"branches": []}
    ),
    "the branch moves": lambda cast: change_branch(actor=cast.root, branch_id=cast.branch.pk, name="Moved"),
    "the assignment ends": lambda cast: cast.change(assigned_branches=[]),
}


def held() -> dict[str, list[Any]]:
    """Every row that a writer of this file could add or change."""
    kinds = (LearningRecord, Enrollment, ExternalTraining, PointEntry, Transaction)
    rows = {kind.__name__: list(kind._default_manager.order_by("pk").values()) for kind in kinds}
    users = User.objects.filter(role="learner").exclude(username="paula").order_by("pk")
    return rows | {"users": list(users.values("pk", "email", "status", "merged_into_id"))}
