"""Forgotten passwords: a link by mail, good once and not for long."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

import audit.services
import hints
from accounts import services
from accounts.devices import device_of, remember
from accounts.errors import AccountError, FieldsInvalid, TooManyFailures
from accounts.forms import ForgottenPasswordForm, NewPasswordForm
from accounts.mails import owe_reset_link
from accounts.models import Status, User
from accounts.sign_in import address_of, reset_tokens
from accounts.views.access import origin_of

SENT = "If an active account has this address, a link to choose a new password is on its way."


@never_cache
def forgotten(request: HttpRequest) -> HttpResponse:
    """Gives one answer, and takes one time, whether the address is known or not."""
    form = ForgottenPasswordForm(request.POST or None)
    status, retry_after = 200, 0
    if request.method == "POST" and form.is_valid():
        email = form.cleaned_data["email"]
        try:
            services.count_request(caller=address_of(request), target=email, device=device_of(request))
        except TooManyFailures as error:
            form.add_error(None, error.detail)
            status, retry_after = 429, error.retry_after
        else:
            account = services.find_by_sign_in(email)
            _audit(request, "reset.requested", account.pk if account else None)
            owe_reset_link(email)
            hints.send("notices.tasks.send")
            messages.success(request, SENT)
            return redirect("accounts:sign_in")
    response = render(request, "accounts/forgotten.html", {"form": form}, status=status)
    if retry_after:
        response["Retry-After"] = str(retry_after)
    return response


@never_cache
@sensitive_post_parameters("new", "again")
def reset(request: HttpRequest, account_id: int, token: str) -> HttpResponse:
    """The link from the mail. It ends with its use, with any sign-in, and with the account's access."""
    account = User.objects.filter(pk=account_id, status=Status.ACTIVE).first()
    if account is None or not reset_tokens.check_token(account, token):
        return render(request, "accounts/reset.html", {"form": None}, status=410)
    form = NewPasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _set(request, account, form):
        _audit(request, "reset.used", account.pk)
        remember(request, account.pk)  # whoever reads the mail isn't kept out by others' guesses
        messages.success(request, "Your password is changed. Sign in with it.")
        return redirect("accounts:sign_in")
    return render(request, "accounts/reset.html", {"form": form, "account": account})


def _audit(request: HttpRequest, action: str, account_id: int | None) -> None:
    audit.services.record(action, actor_id=None, subject_id=account_id, origin=origin_of(request))


def _set(request: HttpRequest, account: User, form: NewPasswordForm) -> bool:
    try:
        services.change_own_password(actor=account, password=form.cleaned_data["new"], origin=origin_of(request))
    except FieldsInvalid as error:
        for one in error.errors:
            form.add_error("new", one["detail"])
    except AccountError as error:
        form.add_error(None, error.detail)
    return not form.errors
