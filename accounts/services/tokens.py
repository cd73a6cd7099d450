"""Keys of integrators. A key is shown once; only its hash is kept."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

import audit.services
from accounts.errors import FieldsInvalid, NotAllowed, UnknownAccount
from accounts.models import ApiToken, Role, User
from accounts.services.authority import ADMIN, check_proof, check_scopes
from accounts.services.text import storable

PREFIX = "lms_"
DAYS = 365
MOST_DAYS = 3650


def may_have_tokens(account: User) -> bool:
    """Whether Preferences offers API tokens to this account."""
    return account.is_active and account.role != Role.LEARNER


def create_token(
    *,
    owner: User,
    name: str = "",
    scopes: Iterable[str] | None = None,
    days: int | None = None,
    origin: str = "",
    epoch: int | None = None,
) -> tuple[str, ApiToken]:
    """Make a key that acts with its owner's rights. Returns the key, shown this once, and the token.

    All scopes that the owner can grant unless some are named; it expires after `days` (365 unless told otherwise).
    `epoch` is the owner's session epoch when a browser asked: a new password or role meanwhile ended its session, so
    that it makes no token either. Raises FieldsInvalid, and NotAllowed when the owner can't sign in or acts through a
    token without `admin`.
    """
    days = DAYS if days is None else days
    check_scopes(owner, {ADMIN})
    check_proof(owner)
    chosen = _checked_scopes(owner, scopes, days)
    key = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        # FOR NO KEY UPDATE: ending the account, changing its role and making a token exclude each other.
        now = User.objects.select_for_update(no_key=True).filter(pk=owner.pk, status="active").first()
        if now is None:
            raise NotAllowed("Only an active account can have tokens.")
        if epoch is not None and now.session_epoch != epoch:
            raise NotAllowed("Your session has ended. Sign in again.")
        if ADMIN in chosen and not now.is_superadmin:
            raise NotAllowed("Only a superadmin's token can have the scope admin.")
        token = ApiToken.objects.create(
            owner=owner,
            name=storable(name).strip()[:100] or "API token",
            hash=_hash(key),
            start=key[:8],
            scopes=chosen,
            expires_at=timezone.now() + timedelta(days=days),
        )
        detail = {"token": token.pk, "scopes": chosen, "days": days}
        audit.services.record("token.created", actor_id=owner.pk, subject_id=owner.pk, detail=detail, origin=origin)
    return key, token


def revoke_token(*, actor: User, token_id: int, origin: str = "") -> None:
    """End a token at once. Its owner may, and a superadmin. Raises UnknownAccount for any other token."""
    check_scopes(actor, {ADMIN})
    check_proof(actor)
    with transaction.atomic():
        tokens = ApiToken.objects.filter(pk=token_id)
        token = (tokens if actor.is_superadmin else tokens.filter(owner=actor)).first()
        if token is None:
            raise UnknownAccount("There is no such token.")
        owner_id = token.owner_id
        token.delete()
        detail = {"token": token_id}
        audit.services.record("token.revoked", actor_id=actor.pk, subject_id=owner_id, detail=detail, origin=origin)


def find_token(key: str) -> ApiToken | None:
    """The living token of this key, its owner at hand; None when unknown, expired or of an account that may not sign in."""
    if not key.startswith(PREFIX):
        return None
    token = ApiToken.objects.select_related("owner").filter(hash=_hash(key)).first()
    now = timezone.now()
    if token is None or not token.owner.is_active or (token.expires_at and token.expires_at <= now):
        return None
    if token.last_used_at is None or now - token.last_used_at > timedelta(minutes=1):
        # Once a minute is enough to know. A token that ended while this waited for its row lets nobody in.
        return token if ApiToken.objects.filter(pk=token.pk).update(last_used_at=now) else None
    return token


def _hash(key: str) -> str:
    # A key has 256 bits of chance, so a plain digest is safe; a slow hash would cost every request its time.
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def grantable_scopes(owner: User) -> list[str]:
    """What a token of this owner may have: `admin` is for superadmins, and no token grants what it doesn't hold."""
    scopes = [scope for scope in ApiToken.Scope.values if scope != ADMIN or owner.is_superadmin]
    return [scope for scope in scopes if owner.token_scopes is None or scope in owner.token_scopes]


def _checked_scopes(owner: User, scopes: Iterable[str] | None, days: int) -> list[str]:
    grantable = grantable_scopes(owner)
    chosen = list(dict.fromkeys(grantable if scopes is None else scopes))
    errors = [_refused_scope(scope) for scope in chosen if scope not in grantable]
    if not chosen:
        errors.append({"field": "scopes", "code": "required", "detail": "Choose at least one scope."})
    if not 1 <= days <= MOST_DAYS:
        detail = f"A token lives between 1 and {MOST_DAYS} days."
        errors.append({"field": "days", "code": "out_of_range", "detail": detail})
    if errors:
        raise FieldsInvalid(errors)
    return chosen


def _refused_scope(scope: str) -> dict[str, str]:
    if scope in ApiToken.Scope.values:
        return {"field": "scopes", "code": "not_held", "detail": f"You can't give a token the scope {scope}."}
    detail = f"There is no scope called {storable(str(scope))[:40]}."
    return {"field": "scopes", "code": "invalid_choice", "detail": detail}
