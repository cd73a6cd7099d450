"""Create an account, edit an account."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters

from accounts import services
from accounts.edit_form import UserForm
from accounts.errors import AccountError, FieldsInvalid
from accounts.models import Right, Status, User
from accounts.sign_in import stay_signed_in
from accounts.typed import as_data
from accounts.views.access import actor_of, find_account, needs_right, origin_of
from accounts.views.actions import may_edit


@needs_right(Right.EDIT)
@sensitive_post_parameters("password")
def create(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    form = UserForm(request.POST or as_data(request), actor=actor)
    if request.method == "POST" and form.is_valid():
        account = _save(request, form, None)
        if account is not None:
            messages.success(request, f"{account} was created.")
            return redirect("accounts:user", account.pk)
    return render(request, "accounts/edit.html", {"form": form, "account": None})


@needs_right(Right.EDIT)
@sensitive_post_parameters("password")
def edit(request: HttpRequest, account_id: int) -> HttpResponse:
    actor = actor_of(request)
    account = find_account(actor, account_id)
    if not may_edit(actor, account) or account.status == Status.DELETED:
        raise PermissionDenied
    form = UserForm(request.POST or as_data(request), actor=actor, account=account)
    if request.method == "POST" and form.is_valid() and _save(request, form, account) is not None:
        messages.success(request, "Saved." if form.changed_data else "Nothing was changed.")
        return redirect("accounts:user", account.pk)
    return render(request, "accounts/edit.html", {"form": form, "account": account})


# A name can be changed at any time; credentials and standing take a recent sign-in. The services know which is which.
create.may_ask_for_password = edit.may_ask_for_password = True  # type: ignore[attr-defined]


def _update(request: HttpRequest, account: User, data: dict[str, Any]) -> User:
    actor, epoch = actor_of(request), account.session_epoch
    services.update_user(actor=actor, account_id=account.pk, data=data, origin=origin_of(request))
    changed: User = User.objects.get(pk=account.pk)
    if changed.session_epoch != epoch:
        stay_signed_in(request, changed)
    return changed


def _save(request: HttpRequest, form: UserForm, account: User | None) -> User | None:
    """The account as it is now; None when the service refused, with the reasons on the form."""
    actor, data, origin = actor_of(request), form.data_for_service(), origin_of(request)
    try:
        if account is None:
            return services.create_user(actor=actor, data=data, origin=origin)
        return _update(request, account, data) if data else account
    except FieldsInvalid as error:
        form.take_errors(error)
    except AccountError as error:
        form.add_error(None, error.detail)
    return None
