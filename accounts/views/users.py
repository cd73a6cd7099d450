"""The Users report, and the type-ahead of every account picker."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.models import Right, Role, User
from accounts.paging import capped_count
from accounts.report import STATUSES, Filters, branches_of, listed, page, survivors
from accounts.views.access import actor_of, find_account, needs_right
from accounts.views.actions import actions_for
from audit import trail

OFFERED = 10
COLUMNS = (
    ("name", "Name"),
    ("username", "Username"),
    ("email", "E-mail"),
    ("employee_number", "No."),
    ("", "Branches"),
    ("", "Status"),
    ("last_sign_in", "Last sign-in"),
)


@require_GET
@needs_right(Right.VIEW)
def report(request: HttpRequest) -> HttpResponse:
    actor, filters = actor_of(request), Filters.read(request.GET)
    shown = page(actor, filters, request.GET.get("after", ""), request.GET.get("before", ""))
    context: dict[str, Any] = {
        "filters": filters,
        "page": shown,
        "rows": [(user, actions_for(actor, user)) for user in shown.rows],
        "survivors": survivors(actor, shown.rows),
        "count": capped_count(listed(actor, filters)),
        "columns": [_column(name, label, filters) for name, label in COLUMNS],
        "statuses": STATUSES.items(),
        "roles": Role.choices,
        "may_create": actor.has_right(Right.EDIT),
        "branches": branches_of(actor),
        "kept": {name: value for name, value in request.GET.items() if name not in ("after", "before", "selected")},
        **_side(actor, _selected(actor, request.GET.get("selected", ""))),
    }
    trail.listed(len(shown.rows))
    is_part = request.headers.get("HX-Target") == "report"
    return render(request, "accounts/_report.html" if is_part else "accounts/users.html", context)


@require_GET
@needs_right(Right.VIEW)
def side(request: HttpRequest, account_id: int) -> HttpResponse:
    """The sidebar of actions for the selected account."""
    actor = actor_of(request)
    return render(request, "accounts/_side.html", _side(actor, find_account(actor, account_id)))


@require_GET
@needs_right(Right.VIEW)
def search(request: HttpRequest) -> HttpResponse:
    """Options for a picker: the accounts that match `q`, without the one named by `except`; `learners=1` for these alone."""
    users = User.objects.learners() if request.GET.get("learners") else User.objects.all()
    found = users.matching(actor_of(request), request.GET.get("q", ""), OFFERED + 1)
    offered = [user for user in found if str(user.pk) != request.GET.get("except")][:OFFERED]
    return render(request, "accounts/_options.html", {"users": offered})


def _column(name: str, label: str, filters: Filters) -> dict[str, str]:
    """A heading: what a click on it sorts by, and how the column is sorted now."""
    if not name:
        return {"label": label}
    if name != filters.sort:
        return {"label": label, "sort": name}
    if filters.descending:
        return {"label": label, "sort": name, "order": "descending"}
    return {"label": label, "sort": f"-{name}", "order": "ascending"}


def _selected(actor: User, account_id: str) -> User | None:
    if not (account_id.isascii() and account_id.isdigit() and len(account_id) < 19):
        return None
    account: User | None = User.objects.visible_to(actor).present().filter(pk=int(account_id)).first()
    return account


def _side(actor: User, account: User | None) -> dict[str, Any]:
    actions = actions_for(actor, account, keep=True) if account else []
    may_merge = any(action.label == "Merge User" for action in actions)
    return {"selected": account, "side_actions": actions, "may_merge": may_merge}
