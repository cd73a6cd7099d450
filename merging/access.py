"""Who may come in by the doors of merging, and which accounts and merges exist for them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse

from audit import trail
from merging.models import Merge

if TYPE_CHECKING:
    from accounts.models import User

View = Callable[..., HttpResponse]
RIGHTS = ("users.view", "users.edit")


def merger_required(view: View) -> View:
    """Superadmins, and power users holding Users/View and Users/Edit; the services decide about the accounts."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not all(actor_of(request).has_right(right) for right in RIGHTS):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return login_required(guarded)


def asks_for_password(view: View) -> View:
    """A POST needs a recent sign-in; the portal's middleware reads this mark and asks for the password again."""
    view.asks_for_password = True  # type: ignore[attr-defined]
    return view


def actor_of(request: HttpRequest) -> User:
    """The account that is signed in; pages of merging are never served without one."""
    actor: Any = request.user
    return actor  # type: ignore[no-any-return]


def visible_account(actor: User, account_id: int) -> User:
    """An account that the actor may know of; for all others, the answer is as if it didn't exist."""
    found: User | None = get_user_model().objects.visible_to(actor).filter(pk=account_id).first()
    if found is None:
        raise Http404
    trail.seen(found.pk)
    return found


def visible_merges(actor: User) -> QuerySet[Merge]:
    """Merges of which the actor may know both accounts."""
    merges = Merge.objects.select_related("source", "destination", "performed_by", "undone_by")
    if actor.is_superadmin:
        return merges
    seen = get_user_model().objects.visible_to(actor).values("pk")
    return merges.filter(source__in=seen, destination__in=seen)


def name_for(actor: User, account: User | None) -> str:
    """Who did it, told only to those who may know of them."""
    if account is None:
        return ""
    known = actor.is_superadmin or get_user_model().objects.visible_to(actor).filter(pk=account.pk).exists()
    return str(account) if known else "an administrator"


def typed_before(request: HttpRequest) -> dict[str, Any]:
    """What was typed into this page when it asked for the password again; initial values for its form."""
    return getattr(request, "typed", {})


def origin_of(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))


def address_of(name: str, *args: int) -> str:
    """The address of another app's page; empty when this installation has none."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""
