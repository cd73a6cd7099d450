"""Writes down, at the end of each request, whose data was shown, what was downloaded and what was refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import structlog
from django.db import Error
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from audit import trail
from audit.facts import CODE
from audit.limits import Limiter
from audit.models import AuditEntry
from audit.services import write
from audit.trail import Note

log = structlog.get_logger(__name__)
REFUSED = {401: "token.refused", 403: "access.refused", 429: "caller.throttled"}
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
BIGGEST = 2**63 - 1


class TrailMiddleware:
    """Stands outside whatever may refuse, so that an answer passes here whoever gave it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.strangers, self.known = Limiter(each=10, most=30), Limiter(each=30, most=300)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with trail.kept() as notes:
            response = self.get_response(request)
        # A read that can't be written down fails as whatever else the database refuses; a refusal stands all the same.
        if response.status_code < 300:
            write(self._entry(request, note) for note in [*_reads(request, notes.reads), *notes.exports])
        try:
            write(self._entry(request, note) for note in self._refusals(request, response, notes.refusals))
        except Error:
            log.exception("refusal_not_recorded")
        return response

    def _refusals(self, request: HttpRequest, response: HttpResponseBase, noted: list[Note]) -> Iterator[Note]:
        """What was refused, within bounds: somebody who is refused all day long doesn't fill the disk."""
        for note in noted or _by_status(request, response):
            actor_id = _actor_id(request)
            limiter = self.known if actor_id else self.strangers  # whose flood must not hide the others' refusals
            left_out = limiter.passes(str(actor_id or request.META.get("REMOTE_ADDR", "")))
            if left_out is not None:
                more = {"left_out": left_out} if left_out else {}
                yield Note(note.action, note.subject_id, {**note.detail, **more})

    def _entry(self, request: HttpRequest, note: Note) -> AuditEntry:
        return AuditEntry(
            action=note.action,
            actor_id=_actor_id(request),
            subject_id=note.subject_id,
            detail={**_place(request), **note.detail},
            origin=_origin(request),
        )


def _reads(request: HttpRequest, noted: list[Note]) -> Iterator[Note]:
    """Reading one's own data isn't noted, nor what an act showed on its way: the act has an entry of its own."""
    if request.method not in ("GET", "HEAD") and not hasattr(request, "rest_shown"):
        return
    shown = getattr(request, "rest_shown", None)
    if shown is not None:
        noted = [Note(f"data.{shown['how']}", shown["owner"], shown["detail"])]
    elif _app(request) == "admin" and _actor_id(request):
        noted = [Note("data.viewed")]
    yield from (note for note in noted if note.subject_id is None or note.subject_id != _actor_id(request))


def _by_status(request: HttpRequest, response: HttpResponseBase) -> Iterator[Note]:
    status = response.status_code
    if status not in REFUSED or (status == 401 and "Authorization" not in request.headers):
        return
    body = getattr(response, "data", None)
    code = body.get("code") if isinstance(body, Mapping) else None
    detail = {"code": code} if isinstance(code, str) and CODE.fullmatch(code) else {}
    yield Note(REFUSED[status], _ids(request).get("account_id"), detail)


def _place(request: HttpRequest) -> dict[str, Any]:
    """Which page or resource: its name and the ids in its address, nothing else of the address."""
    match = request.resolver_match
    name = match.view_name if match else ""
    method = {"method": request.method} if request.method in METHODS else {}
    view = {"view": name} if CODE.fullmatch(name or "") else {}
    return {**method, **view, **_ids(request)}


def _ids(request: HttpRequest) -> dict[str, int]:
    match = request.resolver_match
    found = {name: str(value) for name, value in (match.kwargs if match else {}).items()}
    numbers = {name: int(text) for name, text in found.items() if text.isascii() and text.isdigit() and len(text) < 20}
    return {name: number for name, number in numbers.items() if number <= BIGGEST}


def _app(request: HttpRequest) -> str:
    return request.resolver_match.app_name if request.resolver_match else ""


def _actor_id(request: HttpRequest) -> int | None:
    user = getattr(request, "user", None)
    return user.pk if user is not None and user.is_authenticated else None


def _origin(request: HttpRequest) -> str:
    """As the acts of this caller have it."""
    address = str(request.META.get("REMOTE_ADDR", ""))
    if not request.path_info.startswith("/api/"):
        return address
    token = getattr(request, "auth", None)
    if token is not None:
        return f"REST {address} token {token.pk}"
    return f"REST {address} session" if _actor_id(request) else f"REST {address}"
