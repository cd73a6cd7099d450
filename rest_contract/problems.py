"""Errors as RFC 9457 problems: one shape for whatever goes wrong under /api/."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import DataError, IntegrityError
from django.http import Http404, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.settings import api_settings

from rest_contract.outages import RETRY_AFTER, is_outage

MEDIA_TYPE = "application/problem+json"
TYPE = "/api/v1/docs/#problem-"
BUSY = "The portal is busy. Nothing was saved. Try again in a moment."


class Problem(exceptions.APIException):
    """A refusal with its status, code and sentence; `facts` become members of the answer, `errors` name fields."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Sequence[Mapping[str, str]] = (),
        facts: Mapping[str, Any] | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(detail, code)
        self.status_code = status
        self.code = code
        self.errors = [dict(error) for error in errors]
        self.facts = dict(facts or {})
        self.wait = retry_after


class Invalid(Problem):
    """400, naming the fields that are wrong."""

    def __init__(self, *errors: Mapping[str, str]) -> None:
        super().__init__(400, "invalid", _summary(errors), errors=errors)


class Conflict(Problem):
    """409: the state forbids it."""

    def __init__(self, code: str, detail: str, **facts: Any) -> None:
        super().__init__(409, code, detail, facts=facts)


class Forbidden(Problem):
    """403: the caller lacks a right or a scope."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(403, code, detail)


def field_error(field: str, code: str, detail: str) -> dict[str, str]:
    """One entry of `errors`."""
    return {"field": field, "code": code, "detail": detail}


# What Django's own errors mean to an outsider; the first that fits counts.
DJANGO: Sequence[tuple[type[Exception] | tuple[type[Exception], ...], int, str, str]] = (
    (Http404, 404, "not_found", "There is nothing at this address, or it isn't yours to see."),
    (PermissionDenied, 403, "permission_denied", "You may not do this."),
    (RequestDataTooBig, 413, "too_large", "The request is too large."),
    (OverflowError, 400, "out_of_range", "A number or a date is out of range."),
    (
        (BadRequest, SuspiciousOperation, MultiPartParserError, UnreadablePostError, DataError),
        400,
        "bad_request",
        "The request can't be understood.",
    ),
    (IntegrityError, 409, "conflict", "It contradicts what is stored already, or what somebody else just stored."),
)
Status = int | Callable[[Any], int]
_answers: dict[type[Exception], Status] = {}


def answer_with(status: Status, *errors: type[Exception]) -> None:
    """Say which status a domain error is answered with, or how to tell. The closest class counts."""
    for error in errors:
        _answers[error] = status


def exception_handler(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """The one handler of the whole API; None lets an unknown error become a 500."""
    problem = as_problem(error)
    if problem is None:
        return None
    return respond(problem)


def respond(problem: Problem) -> Response:
    headers = {}
    if problem.wait is not None:
        headers["Retry-After"] = str(problem.wait)
    if problem.status_code == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="api"'
    return Response(body_of(problem), status=problem.status_code, headers=headers, content_type=MEDIA_TYPE)


def body_of(problem: Problem) -> dict[str, Any]:
    """The members of the answer."""
    code = problem.code
    return {
        **problem.facts,
        "type": TYPE + code,
        "title": HTTPStatus(problem.status_code).phrase,
        "status": problem.status_code,
        "detail": str(problem.detail),
        "code": code,
        "errors": problem.errors,
    }


def as_problem(error: Exception) -> Problem | None:
    """What an error means to an outsider; None when it means nothing but a fault of ours."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, exceptions.ValidationError):
        return Invalid(*flatten(error.detail))
    if isinstance(error, exceptions.APIException):
        return _from_framework(error)
    return _from_domain(error) or _from_django(error)


def _from_framework(error: exceptions.APIException) -> Problem:
    code = str(error.get_codes()) if isinstance(error.detail, str) else error.default_code
    wait = getattr(error, "wait", None)
    retry = max(1, int(wait)) if wait is not None else None
    return Problem(error.status_code, code, str(error.detail), retry_after=retry)


def _from_domain(error: Exception) -> Problem | None:
    answer = next((_answers[kind] for kind in type(error).__mro__ if kind in _answers), None)
    if answer is None:
        return None
    status = answer if isinstance(answer, int) else answer(error)
    code = str(getattr(error, "code", "") or "refused")
    wait = getattr(error, "retry_after", None)
    if wait is None and status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        wait = RETRY_AFTER
    return Problem(
        status,
        code,
        str(getattr(error, "detail", "") or error),
        errors=getattr(error, "errors", ()),
        facts=getattr(error, "facts", None),
        retry_after=wait,
    )


def _from_django(error: Exception) -> Problem | None:
    if is_outage(error):
        return Problem(503, "busy", BUSY, retry_after=RETRY_AFTER)
    for kinds, status, code, detail in DJANGO:
        if isinstance(error, kinds):
            return Problem(status, code, detail)
    return None


def flatten(detail: Any, path: str = "") -> Iterator[dict[str, str]]:
    """Every leaf of a serializer's errors, with the path to its field."""
    if isinstance(detail, Mapping):
        for key, value in detail.items():
            name = "" if key == api_settings.NON_FIELD_ERRORS_KEY else str(key)
            yield from flatten(value, ".".join(part for part in (path, name) if part))
    elif isinstance(detail, list | tuple):
        for place, value in enumerate(detail):
            nested = isinstance(value, Mapping | list)
            yield from flatten(value, f"{path}.{place}".lstrip(".") if nested else path)
    else:
        yield field_error(path, getattr(detail, "code", None) or "invalid", str(detail))


def _summary(errors: Sequence[Mapping[str, str]]) -> str:
    if not errors:
        return "The request is not valid."
    first = errors[0]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{first['field']}: {first['detail']}{more}" if first["field"] else f"{first['detail']}{more}"
