"""What the server itself says to a request that no thread could take."""

from __future__ import annotations

import json
from http import HTTPStatus

REASONS = {
    408: ("too_slow", "The request took too long to arrive."),
    431: ("head_too_large", "The headers of the request are too large."),
    503: ("busy", "The portal is busy. Try again in a moment."),
}


def refusal(status: int, *, is_rest: bool) -> bytes:
    """The whole answer, after which the connection ends."""
    code, detail = REASONS[status]
    phrase = HTTPStatus(status).phrase
    body, kind = detail.encode(), "text/plain; charset=utf-8"
    if is_rest:
        problem = {"type": f"/api/v1/docs/#problem-{code}", "title": phrase, "status": status}
        body = json.dumps({**problem, "detail": detail, "code": code, "errors": []}).encode()
        kind = "application/problem+json"
    headers = [f"Content-Type: {kind}", f"Content-Length: {len(body)}", "Connection: close", "Cache-Control: no-store"]
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers.append("Retry-After: 5")
    return "\r\n".join([f"HTTP/1.1 {status} {phrase}", *headers, "", ""]).encode() + body
