"""What a token may be used for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from rest_contract.problems import Forbidden


class HasScope(BasePermission):
    """A token does what its scopes name, never more; a browser session has them all."""

    def has_permission(self, request: Request, view: Any) -> bool:
        wanted = scopes_for(view, request.method or "GET")
        held = getattr(request.auth, "scopes", None)
        if held is None or not wanted or set(wanted) & set(held):
            return True
        raise Forbidden("scope_missing", f"This token lacks the scope {' or '.join(wanted)}.")


def scopes_for(view: Any, method: str) -> tuple[str, ...]:
    """The scopes of which one is needed; none for a method that isn't allowed anyway."""
    action = getattr(view, "action", None)
    if action is None:
        return ()
    own: Mapping[str, tuple[str, ...]] = getattr(view, "scopes", {})
    return own.get(action, ("read",) if method in ("GET", "HEAD") else ("write",))
