"""The list of merges, one merge as history, and its undo."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

import notices.services
from audit import trail
from merging import mails, review, services
from merging.access import (
    actor_of,
    address_of,
    asks_for_password,
    merger_required,
    name_for,
    origin_of,
    typed_before,
    visible_merges,
)
from merging.errors import MergeError, MergeIsBusy, UndoRefused
from merging.forms import MergeFilterForm, UndoForm
from merging.models import Merge
from merging.policies import POLICIES, Choices, parse_choices
from merging.turns import in_turn
from merging.views import pages
from merging.views.sections import ROWS_LISTED, tabs
from rest_contract.outages import come_back

if TYPE_CHECKING:
    from accounts.models import User

PER_PAGE = 50
MATCHES = 200
FATES: dict[str, Any] = {
    Merge.Status.QUEUED: pages.FATES,
    Merge.Status.DONE: {"source": "was merged away", "destination": "was kept"},
    Merge.Status.FAILED: {"source": "wasn't merged", "destination": "is unchanged"},
    Merge.Status.UNDONE: {"source": "is back as it was", "destination": "is back as it was"},
}


@merger_required
@require_GET
def merge_list(request: HttpRequest) -> HttpResponse:
    """All merges that the actor may know of, newest first."""
    form = MergeFilterForm(request.GET)
    merges = _filtered(request, visible_merges(actor_of(request)).order_by("-id"), form)
    page = list(merges[: PER_PAGE + 1])
    following = {**form.given(), "before": str(page[PER_PAGE - 1].pk)} if len(page) > PER_PAGE else {}
    actor = actor_of(request)
    rows = [
        {"merge": merge, "policy": POLICIES[merge.policy].label, "by": name_for(actor, merge.performed_by)}
        for merge in page[:PER_PAGE]
    ]
    trail.listed(len(rows))
    context = {"form": form, "rows": rows, "next": f"?{urlencode(following)}" if following else ""}
    return render(request, "merging/list.html", context)


def _filtered(request: HttpRequest, merges: QuerySet[Merge], form: MergeFilterForm) -> QuerySet[Merge]:
    wanted = form.cleaned_data if form.is_valid() else {}
    if wanted.get("status"):
        merges = merges.filter(status=wanted["status"])
    if wanted.get("policy"):
        merges = merges.filter(policy=wanted["policy"])
    if wanted.get("before"):
        merges = merges.filter(pk__lt=wanted["before"])
    if wanted.get("q"):
        ids = [user.pk for user in get_user_model().objects.matching(actor_of(request), wanted["q"], MATCHES)]
        merges = merges.filter(Q(source__in=ids) | Q(destination__in=ids))
    return merges


@merger_required
@require_GET
def merge_page(request: HttpRequest, merge_id: int) -> HttpResponse:
    """One merge: the rows of its review, now as history. While it is queued, its page asks until there is news."""
    merge = get_object_or_404(visible_merges(actor_of(request)), pk=merge_id)
    trail.seen(merge.source_id, destination=merge.destination_id)
    if merge.status == Merge.Status.QUEUED and "HX-Request" in request.headers:
        return HttpResponse(status=204)
    return render(request, "merging/merge.html", _history(request, merge))


def _history(request: HttpRequest, merge: Merge) -> dict[str, Any]:
    actor = actor_of(request)
    tab, page = request.GET.get("tab", ""), request.GET.get("page", "")
    number = int(page) if page.isascii() and page.isdigit() and len(page) < 7 else 1
    return {
        "merge": merge,
        "undelivered": notices.services.undelivered(mails.KIND, merge.pk) if merge.notified_at else 0,
        "policy": POLICIES[merge.policy],
        "performed_by": name_for(actor, merge.performed_by),
        "undone_by": name_for(actor, merge.undone_by),
        "may_undo": actor.is_superadmin and merge.status == Merge.Status.DONE,
        "refusal": _undo_refusal(actor, merge),
        "role_labels": pages.ROLE_NAMES,
        "fates": FATES[merge.status],
        "names": _names(merge),
        "fixed": pages.decided(POLICIES[merge.policy], _choices(merge)),
        "chosen": _chosen(_choices(merge)),
        "again": reverse("merging:new") + f"?source={merge.source_id}&destination={merge.destination_id}",
        "acts": _acts(actor, merge),
        **tabs(
            partial(review.history, merge, ROWS_LISTED),
            tab,
            max(number, 1),
            lambda key, place: "?" + urlencode({"tab": key, "page": place}),
        ),
    }


def _chosen(choices: Choices) -> list[str]:
    """What was chosen by hand: fields by name, courses, of which there may be hundreds, by number."""
    fields = [name.replace("_", " ") for name in choices.fields]
    number = len(choices.courses)
    return [*fields, f"{number:,} course{'' if number == 1 else 's'}"] if number else fields


def _names(merge: Merge) -> list[str]:
    """Both accounts by name; by username too where the names are the same, as they often are afterwards."""
    both = (merge.source, merge.destination)
    if str(merge.source) != str(merge.destination):
        return [str(account) for account in both]
    return [f"{account} ({account.username})" for account in both]


def _choices(merge: Merge) -> Choices:
    return parse_choices(merge.choices, POLICIES[merge.policy])


def _acts(actor: User, merge: Merge) -> list[dict[str, str]]:
    """What may be done with the source after its merge, each with its consequence."""
    acts = []
    if merge.source.is_active:
        acts.append(
            {
                "name": "deactivate",
                "label": "Deactivate the source",
                "look": "btn-secondary",
                "consequence": "It can't sign in any more, its sessions and tokens end. It keeps what wasn't merged "
                "and can be reactivated.",
            }
        )
    if actor.has_right("users.delete"):
        acts.append(
            {
                "name": "delete",
                "label": "Delete the source",
                "look": "btn-danger",
                "consequence": "Its personal data is erased and can't be reinstated, and this merge can't be undone "
                "any more. The destination loses nothing.",
            }
        )
    placed = [act | {"url": address_of(f"accounts:{act['name']}", merge.source_id)} for act in acts]
    return [act for act in placed if act["url"]]


def _undo_refusal(actor: Any, merge: Merge) -> MergeError | None:
    """Why no undo is offered, as far as it can be told without looking at rows."""
    if merge.status != Merge.Status.DONE:
        return None
    try:
        services.check_undo_is_open(actor, merge)
    except UndoRefused as refusal:
        return refusal
    return None


@asks_for_password
@merger_required
@require_http_methods(["GET", "HEAD", "POST"])
def undo(request: HttpRequest, merge_id: int) -> HttpResponse:
    """GET tries the undo and says what would happen; POST does it. A superadmin's."""
    actor = actor_of(request)
    if not actor.is_superadmin:
        raise PermissionDenied
    merge = get_object_or_404(visible_merges(actor), pk=merge_id)
    trail.seen(merge.source_id, destination=merge.destination_id)
    form = UndoForm(request.POST or None, initial=typed_before(request))
    if request.method == "POST" and form.is_valid():
        return _undo(request, merge, form)
    refusal: MergeError | None = None
    with in_turn(actor.pk):
        try:
            services.preview_undo(actor=actor, merge_id=merge.pk)
        except MergeError as error:
            refusal = error
    return _undo_page(request, merge, form, refusal, 400 if request.method == "POST" else 200)


def _undo(request: HttpRequest, merge: Merge, form: UndoForm) -> HttpResponse:
    try:
        services.undo_merge(
            actor=actor_of(request), merge_id=merge.pk, reason=form.cleaned_data["reason"], origin=origin_of(request)
        )
    except MergeError as error:
        page = _undo_page(request, merge, form, error, 409)
        return come_back(page) if isinstance(error, MergeIsBusy) else page
    messages.success(request, f"The merge was undone: {merge.source} and {merge.destination} are as they were before.")
    return redirect("merging:merge", merge.pk)


def _undo_page(
    request: HttpRequest, merge: Merge, form: UndoForm, refusal: MergeError | None, status: int
) -> HttpResponse:
    going_back = [
        {"label": section.label, "rows": section.total - section.counts["stays"]}
        for section in review.history(merge, 0)
        if section.total > section.counts["stays"]
    ]
    context = {
        "merge": merge,
        "form": form,
        "refusal": refusal,
        "rows": review.named(refusal.facts.get("rows", ())) if refusal else [],
        "going_back": going_back,
        "role_labels": pages.ROLE_NAMES,
        "fates": FATES[merge.status],
    }
    return render(request, "merging/undo.html", context, status=status)
