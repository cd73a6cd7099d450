"""Knows where a request comes from, and asks for the password again before acts that need a recent sign-in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from accounts import typed
from accounts.errors import TooManyFailures
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


class RecentSignInMiddleware:
    """A view with the attribute `asks_for_password = True` takes a POST only soon after a sign-in.

    Otherwise the person confirms the password, comes back to the same address with what was typed there in
    `request.typed`, and presses again. An attribute rather than a decorator, so that apps which may not import this
    one can ask too.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        asks = getattr(getattr(view, "view_class", view), "asks_for_password", False)
        if not asks or not request.user.is_authenticated:
            return None
        if request.method != "POST":
            request.typed = typed.recall(request)  # type: ignore[attr-defined]
            return None
        if is_recent(request):
            typed.forget(request)
            return None
        typed.keep(request)
        messages.info(request, "Nothing has happened yet. Confirm your password, then press the button again.")
        address = f"{reverse('accounts:confirm_password')}?{urlencode({'next': request.get_full_path()})}"
        if getattr(request, "htmx", False):
            return HttpResponse(headers={"HX-Redirect": address})
        return redirect(address)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Whoever guesses too often, on whatever page, gets the same answer."""
        if not isinstance(exception, TooManyFailures):
            return None
        answer = render(request, "429.html", {"problem": exception.detail}, status=429)
        answer["Retry-After"] = str(exception.retry_after)
        return answer
