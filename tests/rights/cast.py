"""Who asks, and about whom: the accounts of the matrix and a row of every kind for each subject."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import ApiToken, AssignedBranch, AssignedUser, Branch, Right, User
from accounts.services import create_token, deactivate, update_user
from learning_records.models import Enrollment, MaterialTracking
from linking.models import LinkGroup, Membership
from merging.models import JournalEntry, Merge
from tests.any_row import make
from tests.factories import BranchFactory, PowerUserFactory, SuperadminFactory, UserFactory, at

# The columns of the matrix, in order.
ACTORS = {
    "stranger": "nobody is signed in",
    "inactive": "signed in, then deactivated",
    "demoted": "a superadmin's session or token, kept after the role was taken away",
    "learner": "a learner; the subject `own` is this very account",
    "blind": "a power user without rights",
    "viewer": "a power user with Users/View",
    "editor": "a power user with Users/View and Users/Edit",
    "deleter": "a power user with Users/View, Users/Edit and Users/Delete",
    "superadmin": "a superadmin",
}
SUBJECTS = {
    "own": "the learner of the matrix, who is assigned to every power user",
    "foreign": "a learner who is assigned to nobody",
    "staff": "another superadmin",
}
SCOPES = ("read", "write", "merge", "undo", "admin")
RIGHTS = {
    "blind": [],
    "viewer": [Right.VIEW],
    "editor": [Right.VIEW, Right.EDIT],
    "deleter": [Right.VIEW, Right.EDIT, Right.DELETE],
}


VALID: dict[str, dict[str, Any]] = {
    "merging.Merge": {"policy": "best_record", "status": "done", "performed_at": at(2025)}
}
# To load the middleware takes longer than a dozen requests.
HANDLER, REST_HANDLER = Client().handler, APIClient().handler


@dataclass
class Cast:
    """Accounts, signed-in browsers, tokens and rows; made once and rolled back."""

    subjects: dict[str, User]
    accounts: dict[str, User]
    rows: dict[tuple[type[models.Model], str], Any] = field(default_factory=dict)
    browsers: dict[str, Client] = field(default_factory=dict)
    keys: dict[tuple[str, str], str] = field(default_factory=dict)
    callers: dict[tuple[str, str], APIClient] = field(default_factory=dict)

    def row(self, model: type[models.Model], subject: str = "") -> Any:
        """A row of this kind, the subject's when it belongs to somebody."""
        place = (model, subject)
        if place not in self.rows:
            self.rows[place] = made = make(model, **(self._owner(model, subject) | VALID.get(model._meta.label, {})))
            if model is LinkGroup:
                make(Membership, group=made)
        return self.rows[place]

    def _owner(self, model: type[models.Model], subject: str) -> dict[str, Any]:
        if model is JournalEntry:
            return {"merge": make(Merge, **VALID["merging.Merge"])}
        if not subject:
            return {}
        if model is MaterialTracking:
            return {"enrollment": self.row(Enrollment, subject)}
        return {"user": self.subjects[subject]}

    def browser(self, actor: str) -> Client:
        return self.browsers[actor]

    def caller(self, actor: str, scope: str) -> APIClient:
        """A client with a token of this scope."""
        if (actor, scope) not in self.callers:
            client = self.callers[actor, scope] = APIClient(raise_request_exception=False)
            client.handler = REST_HANDLER
            client.credentials(HTTP_AUTHORIZATION=f"Bearer {self.keys[actor, scope]}")
        return self.callers[actor, scope]


def gather() -> Cast:
    """Everybody, signed in a moment ago."""
    own, foreign = UserFactory.create(username="own"), UserFactory.create(username="foreign")
    branch = BranchFactory.create()
    boss = SuperadminFactory.create(username="boss")
    subjects = {"own": own, "foreign": foreign, "staff": SuperadminFactory.create(username="staff")}
    accounts = {"learner": own, "superadmin": boss, "inactive": UserFactory.create(), "demoted": SuperadminFactory()}
    for name, rights in RIGHTS.items():
        accounts[name] = PowerUserFactory.create(username=name, rights=rights)
        AssignedUser.objects.create(power_user=accounts[name], user=own)
        AssignedBranch.objects.create(power_user=accounts[name], branch=branch)
    cast = Cast(subjects, accounts, {(Branch, ""): branch})
    for name in ACTORS:
        cast.browsers[name] = _browser(accounts.get(name))
    for name, account in accounts.items():
        for scope in SCOPES:
            cast.keys[name, scope] = _key(account, scope)
    deactivate(actor=boss, account_id=accounts["inactive"].pk)
    update_user(actor=boss, account_id=accounts["demoted"].pk, data={"role": "learner"})
    return cast


def _key(account: User, scope: str) -> str:
    """A token, also of a scope that its owner would not be given today."""
    key, token = create_token(owner=account, scopes=["read"])
    ApiToken.objects.filter(pk=token.pk).update(scopes=[scope])
    return key


def _browser(account: User | None) -> Client:
    client = Client(raise_request_exception=False)
    client.handler = HANDLER
    if account is not None:
        client.force_login(account)
    return client
