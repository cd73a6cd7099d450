"""Knows where a request comes from, and asks for the password again before acts that need a recent sign-in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.middleware import AuthenticationMiddleware, get_user
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from accounts import typed
from accounts.errors import SignInAgain, TooManyFailures
from accounts.sign_in import is_recent


class TrustedProxiesMiddleware:
    """Behind TRUSTED_PROXIES proxies, takes the caller's address from the outermost of them.

    It is that many places from the right of X-Forwarded-For; what lies further left is the caller's own invention.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        proxies: int = settings.TRUSTED_PROXIES
        if 0 < proxies <= len(hops) and hops[-proxies]:
            request.META["REMOTE_ADDR"] = hops[-proxies][:45]
        return self.get_response(request)


class SignInByHtmxMiddleware:
    """A part of a page that needs a sign-in sends the whole window there, not the sign-in page into the part."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        htmx = getattr(request, "htmx", None)
        if (
            not htmx
            or response.status_code != 302
            or not response.headers["Location"].startswith(reverse("accounts:sign_in"))
        ):
            return response
        here = urlencode({"next": htmx.current_url_abs_path or reverse("accounts:home")})
        return HttpResponse(headers={"HX-Redirect": f"{reverse('accounts:sign_in')}?{here}"})


class SignedInMiddleware(AuthenticationMiddleware):
    """`request.user`, which knows whether this browser proved the password a short time ago.

    Still read only when somebody asks: a health check with a cookie must not wait for the database.
    """

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        request.user = SimpleLazyObject(lambda: _with_proof(request))  # type: ignore[assignment]


def _with_proof(request: HttpRequest) -> Any:
    user: Any = get_user(request)
    if user.is_authenticated:
        user.has_proven_password = is_recent(request)
    return user


class RecentSignInMiddleware:
    """A view with the attribute `asks_for_password = True` takes a POST only soon after a sign-in.

    With `may_ask_for_password = True` the services decide: they raise SignInAgain where an act needs it. Either way the
    person confirms the password, comes back to the same address with what was typed there in `request.typed`, and
    presses again. Attributes rather than decorators, so that apps which may not import this one can ask too.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        marked = getattr(view, "view_class", view)
        asks = getattr(marked, "asks_for_password", False)
        if not (asks or getattr(marked, "may_ask_for_password", False)) or not request.user.is_authenticated:
            return None
        if request.method != "POST":
            request.typed = typed.recall(request)  # type: ignore[attr-defined]
            return None
        if not asks or is_recent(request):
            typed.forget(request)
            return None
        return self._ask(request)

    def _ask(self, request: HttpRequest) -> HttpResponse:
        typed.keep(request)
        messages.info(request, typed.TYPE_AGAIN if typed.holds_secret(request) else typed.PRESS_AGAIN)
        address = f"{reverse('accounts:confirm_password')}?{urlencode({'next': request.get_full_path()})}"
        if getattr(request, "htmx", False):
            return HttpResponse(headers={"HX-Redirect": address})
        return redirect(address)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Whoever guesses too often, or signed in too long ago, gets the same answer on whatever page."""
        if isinstance(exception, SignInAgain):
            return self._ask(request)
        if not isinstance(exception, TooManyFailures):
            return None
        answer = render(request, "429.html", {"problem": exception.detail}, status=429)
        answer["Retry-After"] = str(exception.retry_after)
        return answer
