"""The cast of these tests."""

from __future__ import annotations

from typing import Any

from accounts.models import AssignedUser, Right, Role, User
from merging import services as merging
from merging.models import Merge
from tests.factories import PASSWORD, UserFactory

__all__ = ["PASSWORD", "merged", "person", "power_user", "superadmin"]


def person(username: str, **fields: Any) -> User:
    """An active learner, unless told otherwise."""
    fields.setdefault("email", f"{username}@example.com")
    account: User = UserFactory.create(username=username, **fields)
    return account


def superadmin(username: str = "root", **fields: Any) -> User:
    return person(username, role=Role.SUPERADMIN, **fields)


def power_user(*rights: Right, sees: tuple[User, ...] = (), username: str = "paula") -> User:
    account = person(username, role=Role.POWER_USER, rights=list(rights))
    AssignedUser.objects.bulk_create(AssignedUser(power_user=account, user=user) for user in sees)
    return account


def merged(source: User, destination: User, policy: str = "best_record", **more: Any) -> Merge:
    """Merge them as a superadmin does; both are read again."""
    actor = more.pop("actor", None) or User.objects.filter(role=Role.SUPERADMIN).first() or superadmin()
    merge = merging.request_merge(
        actor=actor, source_id=source.pk, destination_id=destination.pk, policy=policy, **more
    )
    source.refresh_from_db()
    destination.refresh_from_db()
    return merge
