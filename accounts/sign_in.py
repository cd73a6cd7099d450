"""Signing in to pages, and proving again who one is before something grave."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import login, update_session_auth_hash, user_logged_in, user_logged_out
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.dispatch import receiver
from django.http import HttpRequest

import audit.services
from accounts.devices import device_of
from accounts.services import check_credentials, confirm_password
from accounts.sessions import note_start

if TYPE_CHECKING:
    from accounts.models import User


class ResetTokens(PasswordResetTokenGenerator):
    """Password-reset links that end with the account's access, and never come alive again."""

    def _make_hash_value(self, user: Any, timestamp: int) -> str:
        return f"{super()._make_hash_value(user, timestamp)}{getattr(user, 'session_epoch', '')}"


reset_tokens = ResetTokens()
PROVEN_AT = "password_proven_at"
BACKEND = "accounts.backends.PasswordBackend"


def address_of(request: HttpRequest | None) -> str:
    """Where a request comes from, as the throttle and the audit name it."""
    return str(request.META.get("REMOTE_ADDR") or "") if request is not None else ""


def sign_in(request: HttpRequest, username: str, password: str) -> User | None:
    """Check the credentials and start a session under a new key. None for every reason to refuse.

    Raises TooManyFailures.
    """
    account = check_credentials(
        caller=address_of(request), username=username, password=password, device=device_of(request)
    )
    if account is not None:
        login(request, account, backend=BACKEND)
    return account


@receiver(user_logged_in, dispatch_uid="accounts.sign_in.note")
def note_proof(request: HttpRequest, **kwargs: Any) -> None:
    """Every way to sign in, the admin site's too, proves the password; this is the one hook that they share."""
    note_start(request)
    renew_proof(request)


def renew_proof(request: HttpRequest) -> None:
    """The password was proven just now."""
    request.session[PROVEN_AT] = int(time.time())
    if (user := getattr(request, "user", None)) is not None and user.is_authenticated:
        user.has_proven_password = True


@receiver(user_logged_in, dispatch_uid="accounts.sign_in.audit")
def audit_sign_in(request: HttpRequest, user: User, **kwargs: Any) -> None:
    audit.services.record("session.started", actor_id=user.pk, subject_id=user.pk, origin=address_of(request))


@receiver(user_logged_out, dispatch_uid="accounts.sign_in.audit")
def audit_sign_out(request: HttpRequest, user: User | None, **kwargs: Any) -> None:
    if user is not None:
        audit.services.record("session.ended", actor_id=user.pk, subject_id=user.pk, origin=address_of(request))


def stay_signed_in(request: HttpRequest, account: User) -> None:
    """After an act that may have ended all sessions of `account`: when it is the caller's own, this one goes on."""
    if getattr(request, "auth", None) is None and request.user.pk == account.pk:
        update_session_auth_hash(getattr(request, "_request", request), account)


def is_recent(request: HttpRequest) -> bool:
    """Whether the password was proven within RECENT_SIGN_IN_MINUTES. A bearer token proves itself each time."""
    if getattr(request, "auth", None) is not None:
        return True
    proven = request.session.get(PROVEN_AT)
    if not isinstance(proven, int):
        return False
    limit: int = 60 * settings.RECENT_SIGN_IN_MINUTES
    return 0 <= time.time() - proven <= limit


def prove_again(request: HttpRequest, password: str) -> bool:
    """Check the signed-in person's password once more. Proven: the session goes on under a new key.

    Counted for this session alone; raises TooManyFailures.
    """
    user = request.user
    if not user.is_authenticated:
        return False
    if not confirm_password(account=user, session=request.session.session_key or "", password=password):
        return False
    request.session.cycle_key()
    renew_proof(request)
    return True
