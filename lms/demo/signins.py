"""Who may sign in to the demo. Everybody has the same password, which is no secret: never load this in production."""

from __future__ import annotations

from functools import cache

from django.contrib.auth.hashers import check_password, make_password
from django.db.models import Q

from accounts.models import Role, Status, User

PASSWORD = "learn-2-merge"  # noqa: S105 - printed and in README on purpose
SALT = "demoDEMOdemoDEMOdemoDEMO"  # one hash for all, the same on every machine

SIGN_INS = (
    ("admin", "superadmin", "may do everything"),
    ("paula.power", "power user", "the Hamburg plant and the pairs assigned to her; views, edits and deletes"),
    ("pedro.power", "power user", "the Hamburg plant; views only, so merging is refused"),
    ("jane.doe", "learner", "has a second account, jane.smith, to link by Preferences > Linked accounts"),
    ("noor.haddad", "learner", "already linked with noor.haddad-visser"),
)


@cache
def hashed_password() -> str:
    """Hashed once: doing it per account would take minutes."""
    return make_password(PASSWORD, salt=SALT)


def open_accounts() -> list[str]:
    """Who could sign in with the public password, the first twenty: by the demo's own hash, or by another of it.

    Looking behind a hash takes time, so that of the others only the demo's sign-ins and superadmins are tried.
    """
    active = User.objects.filter(status=Status.ACTIVE)
    same = list(active.filter(password=hashed_password()).order_by("pk").values_list("username", flat=True)[:20])
    known = Q(role=Role.SUPERADMIN) | Q(username__in=[name for name, _, _ in SIGN_INS])
    others = active.filter(known).exclude(password=hashed_password()).order_by("pk")[:50]
    found = [account.username for account in others if check_password(PASSWORD, account.password)]
    return list(dict.fromkeys([*found, *same]))[:20]


def lines() -> list[str]:
    """What `manage.py demo --sign-ins` and the start of the portal print: who is there and has the demo's password."""
    names = [name for name, _, _ in SIGN_INS]
    there = set(User.objects.filter(username__in=names, password=hashed_password()).values_list("username", flat=True))
    rows = [f"  {name:<12} {role:<11} {what}" for name, role, what in SIGN_INS if name in there]
    return [f"Demo sign-ins, each with the password {PASSWORD}", *rows] if rows else []
