"""Deactivate, reactivate, delete: each asks first and says in words what follows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

import hints
from accounts import services
from accounts.errors import AccountError
from accounts.models import Right, User
from accounts.views.access import actor_of, find_account, origin_of, typed_before
from accounts.views.actions import may_edit


@dataclass(frozen=True)
class Act:
    """What the page says, before and after."""

    verb: str
    done: str
    consequences: tuple[str, ...]
    is_danger: bool = False
    joined_by: str = " "  # between the verb and the person's name


DEACTIVATE = Act(
    "Deactivate",
    "{} is deactivated and can't sign in any more.",
    (
        "Nobody can sign in with this account. Its open sessions, API tokens and password resets end now.",
        "Everything it holds stays: enrollments, records, certificates, points and payments.",
        "It leaves the default list of users, and is found by the filter for inactive users.",
        "You can reactivate it at any time. Sessions and tokens don't come back.",
    ),
)
REACTIVATE = Act(
    "Reactivate",
    "{} can sign in again.",
    (
        "The person can sign in again with the same username and password.",
        "Sessions and API tokens from before stay ended.",
    ),
)
SIGN_OUT = Act(
    "Sign out everywhere",
    "{} is signed out everywhere.",
    (
        "Every open session, API token and password reset of this account ends now.",
        "The person can sign in again with the same username and password.",
        "If somebody else may know the password, send a password reset too.",
    ),
    joined_by=": ",
)
DELETE = Act(
    "Delete",
    "The account is deleted.",
    (
        "Deleted profiles and their historical records can't be reinstated, by nobody.",
        "Sign-in ends. Name, e-mail address and other personal values are erased; username and e-mail become free for others.",
        "Inactive accounts that were merged into this one are the same person's, and are erased with it.",
        "A merge of this account can't be undone any more. What it brought to the other account stays there.",
        "To end access and keep the account, deactivate it instead.",
    ),
    is_danger=True,
)
RESET = Act(
    "Send password reset",
    "{} gets a link to choose a new password.",
    (
        "The person gets a link by e-mail and chooses a new password with it.",
        "The current password, open sessions and API tokens keep working until then; a new password ends them.",
        "A link works once, for an hour.",
    ),
    joined_by=" to ",
)


@login_required
def send_reset(request: HttpRequest, account_id: int) -> HttpResponse:
    return _page(request, account_id, RESET, _send_reset)


def _send_reset(*, actor: User, account_id: int, origin: str) -> User:
    account = services.request_reset(actor=actor, account_id=account_id, origin=origin)
    hints.send("notices.tasks.send")
    return account


@login_required
def deactivate(request: HttpRequest, account_id: int) -> HttpResponse:
    return _page(request, account_id, DEACTIVATE, services.deactivate)


@login_required
def sign_out_everywhere(request: HttpRequest, account_id: int) -> HttpResponse:
    return _page(request, account_id, SIGN_OUT, services.sign_out_everywhere)


@login_required
def reactivate(request: HttpRequest, account_id: int) -> HttpResponse:
    return _page(request, account_id, REACTIVATE, services.reactivate)


@login_required
def delete(request: HttpRequest, account_id: int) -> HttpResponse:
    if not actor_of(request).has_right(Right.DELETE):
        raise PermissionDenied
    return _page(request, account_id, DELETE, services.delete_account)


delete.asks_for_password = True  # type: ignore[attr-defined]


def _page(request: HttpRequest, account_id: int, act: Act, service: Callable[..., User]) -> HttpResponse:
    actor = actor_of(request)
    account = find_account(actor, account_id)
    if not may_edit(actor, account):
        raise PermissionDenied
    problem = ""
    if request.method == "POST":
        if act.is_danger and not request.POST.get("understood"):
            problem = "Tick the box to confirm that you have read this."
        else:
            problem = _carry_out(request, actor, account, act, service)
        if not problem:
            return redirect("accounts:user", account.pk)
    context = {"account": account, "act": act, "problem": problem, "typed": typed_before(request)}
    return render(request, "accounts/life.html", context)


def _carry_out(request: HttpRequest, actor: User, account: User, act: Act, service: Callable[..., User]) -> str:
    """Empty when it is done, else what stood in the way."""
    try:
        service(actor=actor, account_id=account.pk, origin=origin_of(request))
    except AccountError as error:
        return error.detail
    messages.success(request, act.done.format(account))
    return ""
