"""Who is calling: a bearer token, or the browser's session with its CSRF token."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.errors import SignInAgain
from accounts.models import ApiToken, User
from accounts.services import find_token
from accounts.sign_in import is_recent
from rest_contract.problems import Forbidden


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer <key>`."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        kind, _, key = get_authorization_header(request).partition(b" ")
        if kind.lower() != b"bearer":
            return None
        token = find_token(key.strip().decode("latin-1"))
        if token is None:
            raise AuthenticationFailed("This token is unknown, expired or revoked.", "token_invalid")
        token.owner.token_scopes = frozenset(token.scopes)
        return token.owner, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class RecentSignIn(BasePermission):
    """What a view names in `grave` takes a recent sign-in of a browser; a token proves itself each time."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if getattr(view, "action", None) not in getattr(view, "grave", ()) or is_recent(request):
            return True
        raise Forbidden(SignInAgain.code, SignInAgain.detail)


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = BearerAuthentication
    name = "bearer"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "An API token: its scopes say what it may do."}
