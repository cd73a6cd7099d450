"""Preferences: appearance, password, and the ways to linked accounts and API tokens."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from accounts import services
from accounts.context import THEME_COOKIE, THEMES
from accounts.errors import AccountError, FieldsInvalid, TooManyFailures
from accounts.forms import AppearanceForm, ChangePasswordForm
from accounts.sign_in import prove_again
from accounts.views.access import actor_of, origin_of

YEAR = 365 * 24 * 3600


@login_required
def show(request: HttpRequest) -> HttpResponse:
    theme = request.COOKIES.get(THEME_COOKIE, "auto")
    context = {
        "appearance": AppearanceForm(initial={"theme": theme if theme in THEMES else "auto"}),
        "may_have_tokens": services.may_have_tokens(actor_of(request)),
    }
    return render(request, "accounts/preferences.html", context)


@login_required
@require_POST
def appearance(request: HttpRequest) -> HttpResponse:
    """Kept in a cookie of this browser: a screen at work and one at home may differ."""
    response = redirect("accounts:preferences")
    form = AppearanceForm(request.POST)
    if form.is_valid():
        secure = request.is_secure()
        response.set_cookie(THEME_COOKIE, form.cleaned_data["theme"], max_age=YEAR, samesite="Lax", secure=secure)
        messages.success(request, "Appearance saved for this browser.")
    return response


@never_cache
@login_required
@sensitive_post_parameters("current", "new", "again")
def password(request: HttpRequest) -> HttpResponse:
    form = ChangePasswordForm(request.POST or None)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            if _change(request, form):
                messages.success(
                    request, "Your password is changed. Your other sessions and all API tokens have ended."
                )
                return redirect("accounts:preferences")
        except TooManyFailures as error:
            form.add_error(None, error.detail)
            status = 429
    return render(request, "accounts/password.html", {"form": form}, status=status)


def _change(request: HttpRequest, form: ChangePasswordForm) -> bool:
    """Whether it is done; what stood in the way is on the form."""
    if not prove_again(request, form.cleaned_data["current"]):
        form.add_error("current", "This isn't your password.")
        return False
    actor = actor_of(request)
    try:
        services.change_own_password(actor=actor, password=form.cleaned_data["new"], origin=origin_of(request))
    except FieldsInvalid as error:
        for one in error.errors:
            form.add_error("new", one["detail"])
        return False
    except AccountError as error:
        form.add_error(None, error.detail)
        return False
    actor.refresh_from_db()
    update_session_auth_hash(request, actor)
    return True
