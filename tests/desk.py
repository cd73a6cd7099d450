"""Who sees two learners and nobody else: every answer is searched for accounts that are out of sight."""

from __future__ import annotations

from typing import Any

from django.test import Client
from rest_framework.test import APIClient

from accounts.models import AssignedUser, User
from accounts.services import create_token
from merging import services as merging
from tests.factories import PowerUserFactory, SuperadminFactory, UserFactory

CANARY, FIRST_ID = "hiddencanary", 987_654_000
DAY = "2026-01-01T12:00:00Z"


def hidden_root() -> User:
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


def merge_away(root: User, source: User, survivor: User) -> None:
    merging.request_merge(actor=root, source_id=source.pk, destination_id=survivor.pk, policy="keep_primary")
