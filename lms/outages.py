"""Pages while the database can't serve: 503 with Retry-After and a page that needs no database."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Final

import structlog
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import get_template
from django.views import defaults

from accounts.context import THEME_COOKIE, THEMES
from merging.errors import MergeIsBusy
from rest_contract.outages import RETRY_AFTER, is_outage, sqlstate

log = structlog.get_logger(__name__)
SECRET: Final = re.compile(r"password|secret|token", re.IGNORECASE)
Fields = list[tuple[str, str]]


class OutageMiddleware:
    """What a view can't do because of the database is answered with 503."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, MergeIsBusy):
            return unavailable(request, exception, exception.detail)
        return unavailable(request, exception) if is_outage(exception) else None


def server_error(request: HttpRequest) -> HttpResponseBase:
    """handler500: faults of other middleware, such as of the session's, come here alone."""
    error = sys.exc_info()[1]
    return unavailable(request, error) if error and is_outage(error) else defaults.server_error(request)


def unavailable(request: HttpRequest, error: BaseException, reason: str = "") -> HttpResponse:
    """The page; what was typed is in it, to be sent again by one press."""
    log.warning("unavailable", error=type(error).__name__, sqlstate=sqlstate(error), request=request.path)
    fields = _typed(request)
    theme = request.COOKIES.get(THEME_COOKIE)
    context = {
        "wrote": request.method not in ("GET", "HEAD"),
        "fields": fields,
        "reason": reason or "Try again in a moment.",
        "address": request.get_full_path(),
        "theme": theme if theme in THEMES else "auto",
    }
    # Without the request: what the frame of other pages shows is read from the database.
    page = get_template("503.html").render(context)
    return HttpResponse(page, status=503, headers={"Retry-After": str(RETRY_AFTER), "Cache-Control": "no-store"})


def _typed(request: HttpRequest) -> Fields | None:
    """What may be sent again, with the token that the form had; None when it can't be sent as it was.

    Only after the check against forgery: what another site sent must not become a form of ours.
    """
    if request.method != "POST" or not getattr(request, "csrf_processing_done", False) or request.FILES:
        return None
    if hasattr(request, "sensitive_post_parameters"):
        return None
    fields = [(name, value) for name, values in request.POST.lists() for value in values]
    return None if any(SECRET.search(name) for name, _ in fields if name != "csrfmiddlewaretoken") else fields
