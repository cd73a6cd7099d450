"""What a request may do beside the rights of its actor: the scopes of its token, the recent sign-in of its browser.

The actor is the object that the door made: rights are read again under lock, but only the door knows how it let the
actor in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from accounts.errors import NotAllowed, ScopeMissing, SignInAgain
from accounts.models import ApiToken, Role, User
from accounts.services.fields import PRIVILEGED

ADMIN, WRITE = ApiToken.Scope.ADMIN, ApiToken.Scope.WRITE
ADMINISTRATIVE = frozenset({*PRIVILEGED, "password"})
GRAVE = ADMINISTRATIVE | {"email"}


def as_now(actor: User) -> User:
    """The actor read again, with what the door knows of the request."""
    now: User = User.objects.get(pk=actor.pk)
    now.token_scopes, now.has_proven_password = actor.token_scopes, actor.has_proven_password
    return now


def check_scopes(actor: User | None, scopes: Iterable[str]) -> None:
    """Raise ScopeMissing unless the actor acts without a token, or with one that has all these scopes."""
    if actor is None or actor.token_scopes is None:
        return
    missing = sorted(set(scopes) - actor.token_scopes)
    if missing:
        raise ScopeMissing(f"This token lacks the scope {' and '.join(missing)}.")


def check_proof(actor: User | None) -> None:
    """Raise SignInAgain in a browser whose last sign-in is too long ago. A token proves itself each time."""
    if actor is not None and not actor.has_proven_password:
        raise SignInAgain


def check_creation(actor: User | None, data: Mapping[str, Any]) -> None:
    """A learner, with a first password or without, takes `write`; everybody else `admin` and a recent sign-in."""
    is_staff = data.get("role", Role.LEARNER) != Role.LEARNER or set(PRIVILEGED[1:]) & data.keys()
    check_scopes(actor, {ADMIN if is_staff else WRITE})
    if is_staff:
        check_proof(actor)


def check_act(actor: User, account: User) -> None:
    """Deactivating and the like: `admin` for staff, `write` for learners."""
    check_scopes(actor, {WRITE if account.is_learner else ADMIN})


def check_change(actor: User, account: User, data: Mapping[str, Any]) -> None:
    """Of a learner's account `admin` for what it protects, `write` for the rest; of staff `admin` for everything.

    Credentials and standing take a recent sign-in. A password is its owner's: power users send a reset, and a browser
    changes its own where the current one is asked for (change_own_password). Raises NotAllowed and SignInAgain.
    """
    if "password" in data and not actor.is_superadmin:
        raise NotAllowed("Only a superadmin may set another person's password. Send a password reset instead.")
    if "password" in data and actor.pk == account.pk and actor.token_scopes is None:
        raise NotAllowed("Change your own password under Preferences, with the current one.")
    if account.is_learner and (not data or data.keys() - ADMINISTRATIVE):
        check_scopes(actor, {WRITE})
    if not account.is_learner or data.keys() & ADMINISTRATIVE:
        check_scopes(actor, {ADMIN})
    if data.keys() & GRAVE:
        check_proof(actor)
