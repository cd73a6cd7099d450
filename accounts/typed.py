"""What was typed into a page that asked for the password again, kept in the session until the button works.

A view finds it as `request.typed`, an attribute, so that apps which may not import this one can read it too. What a
form asks for as a password is never kept, nor is more than a form of this portal can hold.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

KEY = "typed"
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


def forget(request: HttpRequest) -> None:
    """The button of this address worked."""
    if KEY in request.session and request.session[KEY]["address"] == request.get_full_path():
        del request.session[KEY]


def _is_secret(name: str) -> bool:
    return "password" in name or name == "csrfmiddlewaretoken"
