"""The cast of these tests."""

from __future__ import annotations

from typing import Any

from accounts.models import AssignedUser, Right, Role, User

PASSWORD = "correct horse battery"


def person(username: str, **fields: Any) -> User:
    """An active learner, unless told otherwise."""
    fields.setdefault("email", f"{username}@example.com")
    account: User = User.objects.create(username=username, **fields)
    return account


def superadmin(username: str = "root") -> User:
    return person(username, role=Role.SUPERADMIN)


def power_user(*rights: Right, sees: tuple[User, ...] = (), username: str = "paula") -> User:
    account = person(username, role=Role.POWER_USER, rights=list(rights))
    AssignedUser.objects.bulk_create(AssignedUser(power_user=account, user=user) for user in sees)
    return account


def with_password(account: User, password: str = PASSWORD) -> User:
    account.set_password(password)
    account.save()
    return account
