"""How much a request may carry, decided before a byte of it is read or written to disk.

Pages take PAGE_BODY_LIMIT bytes, REST takes REST_BODY_LIMIT. A view with the attribute `takes_files_of = right` takes a
file of IMPORT_MAX_BYTES, from those who hold that right; from others nothing is read beyond what pages take.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from gunicorn.http.errors import ParseException

from bulk.uploading import files_right
from rest_contract.problems import MEDIA_TYPE, Problem, body_of

AROUND_A_FILE = 64 * 1024  # bytes of a form beside its file
Answer = Callable[[HttpRequest], HttpResponseBase]


class BodyLimitMiddleware:
    """413 for a body that is too long, by what it declares or, where it declares nothing, by what arrives."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        length, limit = _declared(request), _usual_limit(request)
        if length is None:
            return self.get_response(request) if _read_undeclared(request, limit) else _too_large(request, limit)
        if length > limit and files_right(request):
            limit = settings.IMPORT_MAX_BYTES + AROUND_A_FILE
        return _too_large(request, limit) if length > limit else self.get_response(request)


class FilesOfSomeMiddleware:
    """After authentication and before anything reads the form, the CSRF check included: who may upload at all?"""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if (_declared(request) or 0) > _usual_limit(request) and (right := files_right(request)):
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if not request.user.has_right(right):
                raise PermissionDenied
        return self.get_response(request)


def _usual_limit(request: HttpRequest) -> int:
    is_rest = request.path_info.startswith("/api/")
    return int(settings.REST_BODY_LIMIT if is_rest else settings.PAGE_BODY_LIMIT)


def _declared(request: HttpRequest) -> int | None:
    """The length that the caller declares; None when it declares that it doesn't know."""
    if request.META.get("HTTP_TRANSFER_ENCODING"):
        return None
    length = request.META.get("CONTENT_LENGTH") or "0"
    return int(length) if length.isascii() and length.isdigit() else 0


def _read_undeclared(request: HttpRequest, limit: int) -> bool:
    """Read what arrives, up to the limit; Django reads no body without a length. Returns whether that was all."""
    try:
        body = request.META["wsgi.input"].read(limit + 1)
    except (OSError, ParseException) as error:
        raise BadRequest("the body ended early, or isn't what it says") from error
    if len(body) > limit:
        return False
    request.META["CONTENT_LENGTH"] = str(len(body))
    del request.META["HTTP_TRANSFER_ENCODING"]
    request._stream = io.BytesIO(body)
    return True


def _too_large(request: HttpRequest, limit: int) -> HttpResponse:
    """Nothing of the body is read, so the server ends the connection."""
    words = f"A body may have {limit:,} bytes here."
    if not request.path_info.startswith("/api/"):
        return render(request, "413.html", {"limit": limit}, status=413)
    problem = Problem(413, "too_large", words)
    return HttpResponse(json.dumps(body_of(problem)), status=413, content_type=MEDIA_TYPE)
