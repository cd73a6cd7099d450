"""What a request may do beside the rights of its actor: the scopes of the token that acts for the actor.

The actor is the object that the door made: rights are read again under lock, but only the door knows how it let the
actor in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from accounts.errors import NotAllowed, ScopeMissing
from accounts.models import ApiToken, Role, User
from accounts.services.fields import PRIVILEGED

ADMIN, WRITE = ApiToken.Scope.ADMIN, ApiToken.Scope.WRITE
ADMINISTRATIVE = frozenset({*PRIVILEGED, "password"})


def as_now(actor: User) -> User:
    """The actor read again, with what the door knows of the request."""
    now: User = User.objects.get(pk=actor.pk)
    now.token_scopes = actor.token_scopes
    return now


def check_scopes(actor: User | None, scopes: Iterable[str]) -> None:
    """Raise ScopeMissing unless the actor acts without a token, or with one that has all these scopes."""
    if actor is None or actor.token_scopes is None:
        return
    missing = sorted(set(scopes) - actor.token_scopes)
    if missing:
        raise ScopeMissing(f"This token lacks the scope {' and '.join(missing)}.")


def check_creation(actor: User | None, data: Mapping[str, Any]) -> None:
    """A learner, with a first password or without, takes `write`; everybody else `admin`."""
    is_staff = data.get("role", Role.LEARNER) != Role.LEARNER or set(PRIVILEGED[1:]) & data.keys()
    check_scopes(actor, {ADMIN if is_staff else WRITE})


def check_act(actor: User, account: User) -> None:
    """Deactivating and the like: `admin` for staff, `write` for learners."""
    check_scopes(actor, {WRITE if account.is_learner else ADMIN})


def check_change(actor: User, account: User, data: Mapping[str, Any]) -> None:
    """Of a learner's account `admin` for what it protects, `write` for the rest; of staff `admin` for everything.

    A password is its owner's: power users send a reset. Raises NotAllowed.
    """
    if "password" in data and not actor.is_superadmin:
        raise NotAllowed("Only a superadmin may set another person's password. Send a password reset instead.")
    if account.is_learner and (not data or data.keys() - ADMINISTRATIVE):
        check_scopes(actor, {WRITE})
    if not account.is_learner or data.keys() & ADMINISTRATIVE:
        check_scopes(actor, {ADMIN})
