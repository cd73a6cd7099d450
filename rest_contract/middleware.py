"""Whatever answers under /api/ with an error, a view or Django itself, speaks in problems."""

from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from rest_contract.problems import BUSY, MEDIA_TYPE, Problem, body_of

SENTENCES = {
    400: ("bad_request", "The request can't be understood."),
    403: ("permission_denied", "You may not do this."),
    404: ("not_found", "There is nothing at this address. Addresses end with a slash."),
    405: ("method_not_allowed", "This method is not allowed here."),
    413: ("too_large", "The request is too large."),
    503: ("busy", BUSY),
}


class ProblemMiddleware:
    """Turns error pages of other layers (bad host, unreadable path, fault) into problems."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code < HTTPStatus.BAD_REQUEST or not request.path_info.startswith("/api/"):
            return response
        if response.headers.get("Content-Type", "").startswith(MEDIA_TYPE):
            return response
        return _retold(response)


def https_only(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Under HTTPS=1, refuses REST requests over plain HTTP. A redirect would hide that the token was sent openly."""

    def respond(request: HttpRequest) -> HttpResponseBase:
        if not settings.SECURE_SSL_REDIRECT or request.is_secure() or not request.path_info.startswith("/api/"):
            return get_response(request)
        problem = Problem(403, "https_required", "Use https://. This token was sent openly: revoke it.")
        return HttpResponse(json.dumps(body_of(problem)), status=403, content_type=MEDIA_TYPE)

    return respond


def _retold(response: HttpResponseBase) -> HttpResponse:
    status = response.status_code
    code, detail = SENTENCES.get(status, ("error", "Something went wrong here; it has been noted."))
    told = HttpResponse(json.dumps(body_of(Problem(status, code, detail))), status=status, content_type=MEDIA_TYPE)
    for name, value in response.headers.items():
        if name.lower() not in ("content-type", "content-length"):
            told.headers[name] = value
    return told
