"""Rate limits of everything under /api/: per token, per account that is signed in, per address of strangers.

Whether a credential is good the database alone knows. So that it isn't asked by floods, one that wasn't good lately
counts for its address like no credential at all; when it turns out good, the count is given back.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.functional import SimpleLazyObject, empty

from rest_contract.counting import WINDOW, Counting, seconds_left
from rest_contract.problems import MEDIA_TYPE, Problem, body_of

counting = Counting()


class RateLimitMiddleware:
    """429 beyond RATE_LIMIT_TOKEN or RATE_LIMIT_ANONYMOUS requests a minute, in windows of WINDOW seconds; 0: no limit."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith("/api/") or not (
            settings.RATE_LIMIT_TOKEN or settings.RATE_LIMIT_ANONYMOUS
        ):
            return self.get_response(request)
        credential = _credential(request)
        who = counting.recall(credential) if credential else ""
        address = _address(request)
        if _is_too_many(who or address, settings.RATE_LIMIT_TOKEN if who else settings.RATE_LIMIT_ANONYMOUS):
            return _too_many()
        response = self.get_response(request)
        _settle(credential, who, address, _caller(request))
        return response


def seconds_to_wait(request: HttpRequest, page: str, a_minute: int) -> int:
    """For a page that strangers may ask for: 0, or how long this address has to wait because it asked too often."""
    if not settings.RATE_LIMIT_ANONYMOUS or not _is_too_many(f"{page} {_address(request)}", a_minute):
        return 0
    return seconds_left()


def _settle(credential: str, before: str, address: str, now: str) -> None:
    """Count for whom it turned out to be, and know them next time."""
    if before == now:
        return
    if now:
        counting.count(address, -1)
        counting.count(now)
    else:
        counting.count(address)
    counting.remember(credential, now)


def _is_too_many(who: str, a_minute: int) -> bool:
    return bool(a_minute) and counting.count(who) > max(1, a_minute * WINDOW // 60)


def _credential(request: HttpRequest) -> str:
    """The token or session that is shown, as a hash; empty when none is."""
    shown = request.META.get("HTTP_AUTHORIZATION") or request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    return hashlib.sha256(shown.encode("utf-8", "surrogatepass")).hexdigest() if shown else ""


def _caller(request: HttpRequest) -> str:
    """Who it was, when a view of REST asked; the lazy user of a page is not looked up for this."""
    user: Any = getattr(request, "user", None)
    is_unasked = isinstance(user, SimpleLazyObject) and user.__dict__["_wrapped"] is empty
    if user is None or is_unasked or not user.is_authenticated:
        return ""
    token = getattr(request, "auth", None)
    return f"token:{token.pk}" if token is not None else f"account:{user.pk}"


def _address(request: HttpRequest) -> str:
    """A stranger's address; of IPv6 the network, since whoever has one has all of it."""
    text = request.META.get("REMOTE_ADDR", "")
    try:
        address = ip_address(text)
    except ValueError:
        return f"address:{text[:45]}"
    return f"address:{ip_network((address, 64), strict=False) if address.version == 6 else address}"


def _too_many() -> HttpResponse:
    problem = Problem(429, "throttled", "Too many requests. Try again in a moment.", retry_after=seconds_left())
    answer = HttpResponse(json.dumps(body_of(problem)), status=429, content_type=MEDIA_TYPE)
    answer["Retry-After"] = str(seconds_left())
    return answer
