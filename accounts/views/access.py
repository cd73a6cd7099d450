"""Who is asking, and what they may see."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase

from accounts.errors import NotAllowed, UnknownAccount
from accounts.models import User
from accounts.sign_in import address_of
from audit import trail

View = Callable[..., HttpResponseBase]


def actor_of(request: HttpRequest) -> User:
    """The account that is signed in. Only in views that require one."""
    return cast(User, request.user)


def typed_before(request: HttpRequest) -> dict[str, Any]:
    """What was typed into this page when it asked for the password again; initial values for its form."""
    return getattr(request, "typed", {})


def origin_of(request: HttpRequest) -> str:
    """From where, for the audit."""
    return address_of(request)


def needs_right(right: str) -> Callable[[View], View]:
    """Only for those who hold the right over somebody."""

    def decorate(view: View) -> View:
        @login_required
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not actor_of(request).has_right(right):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def superadmins_only(view: View) -> View:
    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not actor_of(request).is_superadmin:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


@contextmanager
def deciding() -> Iterator[None]:
    """Around a write: what the service refuses at that moment is answered as the page itself would be."""
    try:
        yield
    except UnknownAccount as error:
        raise Http404(error.detail) from error
    except NotAllowed as error:
        raise PermissionDenied(error.detail) from error


def name_for(actor: User, account: User | None) -> str:
    """Who did something, told only to those who may know of them."""
    if account is None:
        return ""
    return str(account) if User.objects.visible_to(actor).filter(pk=account.pk).exists() else "an administrator"


def find_account(actor: User, account_id: int) -> User:
    """An account that `actor` may see; others answer as if they didn't exist."""
    account = User.objects.visible_to(actor).select_related("merged_into").filter(pk=account_id).first()
    if account is None:
        raise Http404("There is no such account, or it isn't yours to see.")
    trail.seen(account.pk)
    return cast(User, account)
