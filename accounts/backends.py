"""Who signs in to pages, the admin site included."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from accounts.devices import device_of
from accounts.errors import TooManyFailures
from accounts.models import User
from accounts.services import check_credentials
from accounts.sign_in import address_of


class PasswordBackend(BaseBackend):
    """Username or e-mail and password, with the portal's throttle. Only active accounts come in or stay in."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        if not username or password is None:
            return None
        try:
            return check_credentials(
                caller=address_of(request), username=username, password=password, device=device_of(request)
            )
        except TooManyFailures as error:
            raise PermissionDenied from error  # no other backend is asked; the form gives its one answer

    def get_user(self, user_id: Any) -> User | None:
        user = User.objects.filter(pk=user_id).first()
        return user if user is not None and user.is_active else None
