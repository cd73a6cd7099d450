"""A user's page: who they are, what they did, what merges brought or took."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts import transcript
from accounts.models import ProfileField, Right, User
from accounts.provenance import brought
from accounts.transcript import Shown
from accounts.views.access import actor_of, find_account
from accounts.views.actions import actions_for

BUILT_IN = (
    ("Username", "username"),
    ("E-mail", "email"),
    ("Employee number", "employee_number"),
    ("External id", "external_id"),
    ("Phone", "phone"),
    ("Job title", "job_title"),
    ("Birth date", "birth_date"),
    ("Language", "language"),
    ("Time zone", "timezone"),
    ("Last sign-in", "last_login"),
    ("Created", "created_at"),
)


@require_GET
@login_required
def show(request: HttpRequest, account_id: int) -> HttpResponse:
    actor = actor_of(request)
    account = find_account(actor, account_id)
    history = request.GET.get("history") == "1"
    shown = _transcript(request, account, history)
    merges = _merges(account)
    context = {
        "account": account,
        "is_own": account.pk == actor.pk,
        "sees_others": actor.has_right(Right.VIEW),
        "actions": actions_for(actor, account)[1:] if actor.has_right(Right.VIEW) else [],
        "facts": _facts(account),
        "branches": [membership.branch for membership in account.branch_memberships.select_related("branch")],
        "aliases": account.aliases.order_by("id"),
        "history": history,
        "only": request.GET.get("kind", ""),
        "kinds": transcript.kinds(),
        "shown": shown,
        "empty_kinds": [part.kind.label for part in shown if not part.lines],
        "sources": _sources(account, shown, merges),
        "brought": [merge for merge in merges if merge.destination_id == account.pk],
        "took": [merge for merge in merges if merge.source_id == account.pk],
        **_people(actor, account, merges),
    }
    return render(request, "accounts/user.html", context)


def _transcript(request: HttpRequest, account: User, history: bool) -> list[Shown]:
    """All kinds, the first rows of each; or one kind, page by page."""
    only = request.GET.get("kind")
    if not only:
        return [transcript.show(account, kind, history=history) for kind in transcript.kinds()]
    kinds = [kind for kind in transcript.kinds() if kind.key == only]
    if not kinds:
        raise Http404
    marks = {name: request.GET.get(name, "") for name in ("after", "before")}
    return [transcript.show(account, kinds[0], history=history, **marks)]


def _facts(account: User) -> list[tuple[str, Any]]:
    """Built-in and custom fields with their values; custom ones show even when they are empty."""
    values = dict(account.profile_values.values_list("field_id", "value"))
    custom = [(field.label, values.get(field.pk, "")) for field in ProfileField.objects.all()]
    return [(label, getattr(account, name)) for label, name in BUILT_IN] + custom


def _merges(account: User) -> list[Any]:
    """The merges that this account took part in, latest first."""
    both = account.merges_as_source.all() | account.merges_as_destination.all()
    return list(both.filter(status__in=["done", "undone"]).order_by("-id")[:50])


def _sources(account: User, shown: Iterable[Shown], merges: Iterable[Any]) -> Mapping[tuple[str, int], Any]:
    """For the shown rows that a merge brought: that merge."""
    rows = [line.row for part in shown for line in part.lines]
    known = {merge.pk: merge for merge in merges if merge.destination_id == account.pk and merge.status == "done"}
    if not known:
        return {}
    return {place: known[merge] for place, merge in brought(account, rows).items() if merge in known}


def _people(actor: User, account: User, merges: Iterable[Any]) -> dict[str, Any]:
    """Everyone whom the page names, as far as the actor may see them; others stay unnamed."""
    managers = list(account.manager_assignments.values_list("manager_id", flat=True))
    team = list(account.team_assignments.values_list("user_id", flat=True)[:50])
    named = {*managers, *team, account.merged_into_id}
    named |= {side for merge in merges for side in (merge.source_id, merge.destination_id, merge.performed_by_id)}
    seen = User.objects.visible_to(actor).in_bulk([pk for pk in named if pk is not None])
    return {
        "people": seen,
        "managers": [seen[pk] for pk in managers if pk in seen],
        "team": [seen[pk] for pk in team if pk in seen],
        "survivor": seen.get(account.merged_into_id),
    }
