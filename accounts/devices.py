"""Browsers that a person has signed in with before: a signed cookie names them and the accounts they are known to.

A known browser has a count of wrong passwords of its own, so that strangers' guesses don't keep its owner out. The
cookie opens nothing: the password is still needed.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.core import signing
from django.http import HttpRequest, HttpResponse

from accounts.models import User

SALT: Final = "accounts.device"
AGE: Final = 365 * 86400
MOST: Final = 5  # accounts that one browser is known to, the latest


@dataclass(frozen=True)
class Device:
    """A browser; `epochs` are the accounts it is known to, each with its session epoch at that time."""

    key: str
    epochs: Mapping[int, int] = field(default_factory=dict)

    def is_known_to(self, account: User) -> bool:
        """Whether the account's access hasn't been ended since this browser proved the password."""
        return self.epochs.get(account.pk) == account.session_epoch


def cookie_name() -> str:
    return "__Host-device" if settings.HTTPS else "device"


def device_of(request: HttpRequest | None) -> Device | None:
    """The browser of a request by its cookie; None for one without, or whose cookie we didn't make."""
    cookie = request.COOKIES.get(cookie_name(), "") if request is not None else ""
    try:
        content = signing.loads(cookie, salt=SALT, max_age=AGE)
    except signing.BadSignature:
        return None
    return Device(content["key"], {int(account): epoch for account, epoch in content["epochs"]})


def remember(request: HttpRequest, account_id: int) -> None:
    """Make the browser known to this account with the answer to this request."""
    request.proven_account = account_id  # type: ignore[attr-defined]


class DeviceMiddleware:
    """Gives the cookie to a browser whose session has just begun, was proven again or got a new key."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        account_id = _proven_account(request)
        if account_id is not None:
            _give(request, response, account_id)
        return response


def _proven_account(request: HttpRequest) -> int | None:
    proven: int | None = getattr(request, "proven_account", None)
    session: Any = getattr(request, "session", None)
    if proven is None and session is not None and session.modified and SESSION_KEY in session:
        return int(session[SESSION_KEY])
    return proven


def _give(request: HttpRequest, response: HttpResponse, account_id: int) -> None:
    """The epoch is read again: the request may have ended all earlier access, as a new password does."""
    epoch = User.objects.filter(pk=account_id).values_list("session_epoch", flat=True).first()
    device = device_of(request) or Device(secrets.token_hex(16))
    if epoch is None or device.epochs.get(account_id) == epoch:
        return
    others = [pair for pair in device.epochs.items() if pair[0] != account_id]
    content = {"key": device.key, "epochs": [*others, (account_id, epoch)][-MOST:]}
    response.set_cookie(
        cookie_name(),
        signing.dumps(content, salt=SALT),
        max_age=AGE,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )
