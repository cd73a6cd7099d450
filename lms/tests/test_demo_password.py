"""Whom the public password of the demo data lets in."""

from __future__ import annotations

import pytest

from accounts.models import Role, Status
from lms.demo.signins import PASSWORD, hashed_password, open_accounts
from tests.factories import SuperadminFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_nobody_in_a_portal_of_ones_own() -> None:
    SuperadminFactory.create()
    UserFactory.create_batch(3)
    assert open_accounts() == []


def test_everybody_with_the_demos_hash_who_may_sign_in() -> None:
    for name, status in (("any.learner", Status.ACTIVE), ("gone", Status.INACTIVE)):
        account = UserFactory.create(username=name, status=status)
        account.password = hashed_password()
        account.save()
    assert open_accounts() == ["any.learner"]


@pytest.mark.parametrize(("name", "role"), [("boss", Role.SUPERADMIN), ("jane.doe", Role.LEARNER)])
def test_a_superadmin_and_the_known_names_by_another_hash_too(name: str, role: str) -> None:
    account = UserFactory.create(username=name, role=role)
    account.set_password(PASSWORD)
    account.save()
    assert open_accounts() == [name]
