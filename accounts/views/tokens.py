"""API tokens: made here, shown once, revoked here."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache

from accounts import services
from accounts.errors import AccountError, FieldsInvalid
from accounts.forms import TokenForm
from accounts.models import ApiToken
from accounts.views.access import actor_of, origin_of, typed_before


@never_cache
@login_required
def show(request: HttpRequest) -> HttpResponse:
    """The list, the form, and after making one the key: this answer is the only one that holds it."""
    actor = actor_of(request)
    if not services.may_have_tokens(actor):
        raise PermissionDenied
    grantable, key = services.grantable_scopes(actor), ""
    form = TokenForm(request.POST or None, initial=typed_before(request), grantable=grantable)
    if request.method == "POST" and form.is_valid():
        key = _create(request, form)
        form = TokenForm(grantable=grantable) if key else form
    context = {
        "form": form,
        "key": key,
        "tokens": ApiToken.objects.filter(owner=actor),
        "labels": dict(ApiToken.Scope.choices),
        "now": timezone.now(),
    }
    return render(request, "accounts/tokens.html", context, status=201 if key else 200)


show.asks_for_password = True  # type: ignore[attr-defined]


@login_required
def revoke(request: HttpRequest, token_id: int) -> HttpResponse:
    """GET, after the password was asked for again, leads back to the button."""
    if request.method != "POST":
        return redirect("accounts:tokens")
    try:
        services.revoke_token(actor=actor_of(request), token_id=token_id, origin=origin_of(request))
    except AccountError as error:
        raise Http404 from error
    messages.success(request, "The token is revoked. What used it is refused from now on.")
    return redirect("accounts:tokens")


revoke.asks_for_password = True  # type: ignore[attr-defined]


def _create(request: HttpRequest, form: TokenForm) -> str:
    """The new key; empty when it was refused, with the reasons on the form."""
    data, owner = form.cleaned_data, actor_of(request)
    try:
        key, _token = services.create_token(
            owner=owner,
            name=data["name"],
            scopes=data["scopes"],
            days=data["days"],
            origin=origin_of(request),
            epoch=owner.session_epoch,
        )
    except FieldsInvalid as error:
        for one in error.errors:
            form.add_error(one["field"] if one["field"] in form.fields else None, one["detail"])
    except AccountError as error:
        form.add_error(None, error.detail)
    else:
        return key
    return ""
