"""What was typed into a page that asked for the password again, kept in the session until the button works.

A view finds it as `request.typed`, an attribute, so that apps which may not import this one can read it too. What a
form asks for as a password is never kept, nor is more than a form of this portal can hold.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.datastructures import MultiValueDict

KEY = "typed"
SECRET = frozenset({"current", "new", "again", "secret", "key", "token", "csrfmiddlewaretoken"})
PRESS_AGAIN = "Nothing has happened yet. Confirm your password, then press the button again."
TYPE_AGAIN = "Nothing has happened yet. Confirm your password, then type the password below once more: it wasn't kept."
MOST = 10_000  # characters


def keep(request: HttpRequest) -> None:
    """Remember the fields of this POST for the next look at its address; what an earlier one left is forgotten."""
    fields = {name: values for name, values in request.POST.lists() if not _is_secret(name)}
    if sum(len(text) for name, values in fields.items() for text in (name, *values)) > MOST:
        fields = {}
    request.session[KEY] = {"address": request.get_full_path(), "fields": fields}


def recall(request: HttpRequest) -> dict[str, Any]:
    """The fields by name, a text each or a list of texts; empty when nothing was typed at this address."""
    kept = request.session.get(KEY)
    if not isinstance(kept, dict) or kept["address"] != request.get_full_path():
        return {}
    return {name: values[0] if len(values) == 1 else values for name, values in kept["fields"].items()}


def as_data(request: HttpRequest) -> MultiValueDict[str, Any] | None:
    """What a form takes as its data when this look at the page follows the question for the password."""
    found: dict[str, Any] = getattr(request, "typed", {})
    if not found:
        return None
    return MultiValueDict({name: value if isinstance(value, list) else [value] for name, value in found.items()})


def holds_secret(request: HttpRequest) -> bool:
    """Whether a password was typed that has to be typed again."""
    return any("password" in name.lower() and value for name, value in request.POST.items())


def forget(request: HttpRequest) -> None:
    """The button of this address worked."""
    if KEY in request.session and request.session[KEY]["address"] == request.get_full_path():
        del request.session[KEY]


def _is_secret(name: str) -> bool:
    return "password" in name.lower() or name.lower() in SECRET
