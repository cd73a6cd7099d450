"""Sign-in, sign-out, and the page that asks for the password again."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import login, logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from accounts.devices import device_of
from accounts.forms import ConfirmPasswordForm, SignInForm
from accounts.models import Right
from accounts.sign_in import BACKEND, address_of, renew_proof
from accounts.views.access import actor_of


def home(request: HttpRequest) -> HttpResponse:
    """Administrators start at the Users report, everyone else at their own learning."""
    if not request.user.is_authenticated:
        return redirect("accounts:sign_in")
    actor = actor_of(request)
    if actor.has_right(Right.VIEW):
        return redirect("accounts:users")
    return redirect("accounts:user", actor.pk)


@never_cache
@sensitive_post_parameters("password")
def sign_in(request: HttpRequest) -> HttpResponse:
    form = SignInForm(request.POST or None, caller=address_of(request), device=device_of(request))
    if request.method == "POST" and form.is_valid():
        login(request, form.account, backend=BACKEND)
        return redirect(_next(request))
    if request.method == "GET" and request.user.is_authenticated:
        return redirect(_next(request))
    status = 429 if form.retry_after else 200
    response = render(request, "accounts/sign_in.html", {"form": form, "next": _next(request)}, status=status)
    return _retry_later(response, form.retry_after)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    messages.success(request, "You are signed out.")
    response = redirect("accounts:sign_in")
    response["Clear-Site-Data"] = '"cache", "storage"'  # what pages left in a shared browser; cookies know the device
    return response


@never_cache
@login_required
@sensitive_post_parameters("password")
def confirm_password(request: HttpRequest) -> HttpResponse:
    """Proves again who is sitting there; the session gets a new key."""
    session = request.session.session_key or ""
    form = ConfirmPasswordForm(request.POST or None, session=session, actor=actor_of(request))
    if request.method == "POST" and form.is_valid():
        request.session.cycle_key()
        renew_proof(request)
        return redirect(_next(request))
    status = 429 if form.retry_after else 200
    response = render(request, "accounts/confirm_password.html", {"form": form, "next": _next(request)}, status=status)
    return _retry_later(response, form.retry_after)


def _retry_later(response: HttpResponse, seconds: int) -> HttpResponse:
    if seconds:
        response["Retry-After"] = str(seconds)
    return response


def _next(request: HttpRequest) -> str:
    """Where to go on: an address of this portal alone."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if safe else reverse("accounts:home")
