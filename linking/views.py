"""Preferences → Linked accounts: what is linked, and linking one more. There is no unlinking."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from accounts.devices import device_of
from accounts.errors import TooManyFailures
from accounts.models import User
from accounts.views.access import actor_of, origin_of, typed_before
from learning_records.hints import hint_owed
from learning_records.models import LearningRecord
from linking import services, tasks
from linking.errors import AccountsAreBusy, CallerMayNotLink, LinkRefused
from linking.forms import LinkForm
from linking.services.links import check_caller
from rest_contract.outages import come_back

PAGE = 50


@require_GET
@never_cache
@login_required
def linked_accounts(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    group = services.group_of(actor.pk)
    context = {"others": group.others(actor.pk) if group else [], "may_link": _may_link(actor)}
    return render(request, "linking/linked_accounts.html", context | _live(request))


@require_GET
@never_cache
@login_required
def live(request: HttpRequest) -> HttpResponse:
    """The part of the page that brings itself up to date while equivalencies are generated."""
    return render(request, "linking/_live.html", _live(request))


@require_http_methods(["GET", "POST"])
@never_cache
@sensitive_post_parameters("password")
@login_required
def link(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    if not _may_link(actor):
        return render(request, "linking/link.html", {"refusal": CallerMayNotLink.detail}, status=403)
    form = LinkForm(request.POST or None, initial=typed_before(request))
    response: HttpResponse | None = None
    if request.method == "POST" and form.is_valid():
        response = _link(request, actor, form)
    return response or render(request, "linking/link.html", {"form": form})


link.asks_for_password = True  # type: ignore[attr-defined]


def _link(request: HttpRequest, actor: User, form: LinkForm) -> HttpResponse | None:
    """Do it; None: the form says why not."""
    try:
        linked = services.prove_and_link(
            caller=actor, origin=origin_of(request), device=device_of(request), **form.cleaned_data
        )
    except TooManyFailures as error:
        form.add_error(None, error.detail)
        response = render(request, "linking/link.html", {"form": form}, status=429)
        response["Retry-After"] = str(error.retry_after)
        return response
    except AccountsAreBusy as error:
        form.add_error(None, error.detail)
        return come_back(render(request, "linking/link.html", {"form": form}))
    except LinkRefused as error:
        form.add_error(None, error.detail)
        return None
    if linked.is_new:
        hint_owed()
        tasks.hint_links()
        messages.success(request, "The accounts are linked.")
    else:
        messages.info(request, "These accounts are linked already. Nothing has changed.")
    return redirect("linking:linked_accounts")


def _live(request: HttpRequest) -> dict[str, Any]:
    """Progress, and which records are equivalencies of what, newest first."""
    ids = sorted(services.member_ids([actor_of(request).pk]))
    rows = LearningRecord.objects.listed().filter(user__in=ids, origin=LearningRecord.Origin.EQUIVALENCY)
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) < 19:
        page = rows.filter(pk__lt=int(before))
    else:
        before, page = "", rows
    shown = list(page.select_related("user", "course", "equivalent_of__user").order_by("-id")[: PAGE + 1])
    return {
        "progress": services.progress_of_group(ids),
        "equivalencies": shown[:PAGE],
        "older": shown[PAGE - 1].pk if len(shown) > PAGE else None,
        "before": before,
    }


def _may_link(actor: User) -> bool:
    try:
        check_caller(actor)
    except CallerMayNotLink:
        return False
    return True
