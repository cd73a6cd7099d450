"""Who may sign in to the demo. Everybody has the same password, which is no secret: never load this in production."""

from __future__ import annotations

from functools import cache

from django.contrib.auth.hashers import make_password

from accounts.models import User

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


def lines() -> list[str]:
    """What `manage.py demo --sign-ins` and the start of the portal print: who is there and has the demo's password."""
    names = [name for name, _, _ in SIGN_INS]
    there = set(User.objects.filter(username__in=names, password=hashed_password()).values_list("username", flat=True))
    rows = [f"  {name:<12} {role:<11} {what}" for name, role, what in SIGN_INS if name in there]
    return [f"Demo sign-ins, each with the password {PASSWORD}", *rows] if rows else []
