"""Asks a real door, and says in one letter what came of it."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from bulk import services
from bulk.models import Import, ImportRow
from tests.rights.cast import Cast
from tests.rights.matrix import Cell, value_of

OUTCOMES = {
    "o": "allowed",
    "n": "refused: the right, role or scope is missing (403)",
    "h": "as if it didn't exist (404, or an empty list, or an unknown id in the body)",
    "w": "not signed in (401, or to the sign-in page)",
    "m": "no such method (405)",
    "!": "a fault",
}
UNKNOWN = {"does_not_exist", "not_found", "unknown"}
SIGN_IN = ("/sign-in/", "/admin/login/")


def outcome(cast: Cast, cell: Cell, actor: str, credential: str) -> str:
    """The letter; the caller takes back what was written."""
    operation = cell.operation
    client: Any = cast.browser(actor) if credential == "session" else cast.caller(actor, credential)
    path, body = operation.request(cast, cell.subject)
    if operation.door == "CSV":
        return _uploaded(client, path, body["csv"], cast, cell.subject)
    if operation.door == "REST":
        more = {} if operation.method == "GET" else {"data": body, "content_type": "application/json"}
        if credential != "session" and more:
            more = {"data": body, "format": "json"}
        response = getattr(client, operation.method.lower())(path, **more)
    else:
        response = getattr(client, operation.method.lower())(path, body)
    if response.streaming:
        list(response.streaming_content)  # what isn't read keeps a cursor open
    return letter(response, listed=operation.is_list)


def _uploaded(client: Any, path: str, text: str, cast: Cast, subject: str) -> str:
    """What the check of the file says of its one row."""
    text = text.format(user=cast.subjects[subject].username, other=value_of("$other", cast, subject))
    response = client.post(path, {"file": SimpleUploadedFile("x.csv", text.encode())})
    got = letter(response, listed=False)
    if got != "o":
        return got
    file = Import.objects.get(pk=response.headers["Location"].split("/")[-2])
    while services.work(file.pk):
        pass
    return "h" if file.rows.get().verdict == ImportRow.Verdict.REFUSED else "o"


def letter(response: Any, *, listed: bool) -> str:
    status: int = response.status_code
    if status == 401 or (status == 302 and response.headers["Location"].startswith(SIGN_IN)):
        return "w"
    if status in (403, 404, 405, 410):
        return {403: "n", 404: "h", 405: "m", 410: "h"}[status]
    if status >= 500:
        return "!"
    if status == 400 and _names_unknown(response):
        return "h"
    return "h" if listed and status == 200 and not response.json()["results"] else "o"


def _names_unknown(response: Any) -> bool:
    if "json" not in response.headers.get("Content-Type", ""):
        return False
    return any(error["code"] in UNKNOWN for error in response.json().get("errors", ()))
