"""The assistant's pages. Each reads the consolidation anew, so that it can be left, shared and resumed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

import hints
from accounts.errors import AccountError
from accounts.models import Right, User
from accounts.typed import as_data
from accounts.views.access import actor_of, find_account, name_for, needs_right, origin_of, typed_before
from audit import trail
from consolidation import services
from consolidation.errors import ConsolidationError
from consolidation.evidence import gather, missing_enrollments, not_transferable, suggest
from consolidation.forms import DateForm, EnrollForm, ProfileForm, RemoveForm, noon
from consolidation.models import Consolidation
from learning_records.errors import LearningError
from learning_records.models import Enrollment

DONE = {
    "choose_primary": "The primary account is chosen.",
    "re_enroll": "The primary account is enrolled.",
    "set_completion_date": "The completion date was saved.",
}
Refusals = (ConsolidationError, AccountError, LearningError)


@require_GET
@needs_right(Right.EDIT)
def index(request: HttpRequest) -> HttpResponse:
    """The consolidations of accounts that this admin may see, newest first."""
    visible = User.objects.visible_to(actor_of(request)).values("pk")
    rows = Consolidation.objects.filter(one__in=visible, other__in=visible)
    listed = rows.select_related("one", "other", "primary", "started_by")[:200]
    names = _names(request, (row.started_by for row in listed))
    return render(request, "consolidation/index.html", {"consolidations": listed, "names": names})


@require_http_methods(["GET", "POST"])
@needs_right(Right.EDIT)
def begin(request: HttpRequest) -> HttpResponse:
    """Name the two accounts."""
    actor, data = actor_of(request), request.POST if request.method == "POST" else request.GET
    first = next((data[name] for name in ("user", "source", "destination") if data.get(name)), "")
    account = find_account(actor, _number(first))
    typed = data.get("other_text", "").strip()
    second = data.get("other") or (data.get("destination") if data.get("source") else "")
    other = find_account(actor, _number(second)) if second else None
    if request.method == "POST" and other is not None:
        try:
            found = services.start(actor=actor, account=account, other=other, origin=origin_of(request))
        except ConsolidationError as error:
            messages.error(request, error.detail)
        else:
            return redirect("consolidation:identify", found.pk)
    elif request.method == "POST":
        messages.error(request, "Choose the other account first.")
    matches = User.objects.matching(actor, typed, 10) if typed and other is None else []
    offered = [match for match in matches if match.pk != account.pk]
    context = {"account": account, "other": other, "text": typed, "matches": offered}
    return render(request, "consolidation/begin.html", context)


@require_GET
@needs_right(Right.EDIT)
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """Resume where the consolidation stands; a finished one is shown as history."""
    consolidation = _find(request, pk)
    if consolidation.finished_at is None:
        return redirect("consolidation:update" if consolidation.primary_id else "consolidation:identify", pk)
    return render(request, "consolidation/finished.html", _context(request, consolidation, 3))


@require_http_methods(["GET", "POST"])
@needs_right(Right.EDIT)
def identify(request: HttpRequest, pk: int) -> HttpResponse:
    """Step 1: which account is retained?"""
    consolidation = _find(request, pk)
    if request.method == "POST":
        chosen = _number(request.POST.get("primary", ""))
        return _do(request, consolidation, "identify", "update", services.choose_primary, account_id=chosen)
    one, other = gather(consolidation.one), gather(consolidation.other)
    suggestion = suggest(one, other)
    context = _context(request, consolidation, 1) | {
        "sides": [one, other],
        "suggestion": suggestion,
        "chosen": consolidation.primary_id or suggestion.account.pk,
    }
    return render(request, "consolidation/identify.html", context)


@require_GET
@needs_right(Right.EDIT)
def update(request: HttpRequest, pk: int) -> HttpResponse:
    """Step 2: the primary's profile, its enrollments, and what only the secondary has."""
    consolidation = _find(request, pk)
    if consolidation.primary is None or consolidation.finished_at:
        return redirect("consolidation:show", pk)
    return _update_page(request, consolidation, ProfileForm(account=consolidation.primary))


def _update_page(request: HttpRequest, consolidation: Consolidation, form: ProfileForm) -> HttpResponse:
    primary, secondary = _roles(consolidation)
    rows = Enrollment.objects.filter(user=primary, is_historical=False).select_related("course", "completion_set_by")
    held = list(rows.order_by("course__title", "pk"))
    set_by = _names(request, (row.completion_set_by for row in held if row.completion_set_by))
    context = _context(request, consolidation, 2) | {
        "form": form,
        "held": held,
        "set_by": set_by,
        "missing": missing_enrollments(primary, secondary),
        "losses": not_transferable(secondary),
    }
    return render(request, "consolidation/update.html", context)


@require_http_methods(["GET", "POST"])
@needs_right(Right.EDIT)
def profile(request: HttpRequest, pk: int) -> HttpResponse:
    """Save the primary's profile; what was typed stays when a field is refused, or the password was asked for."""
    consolidation = _find(request, pk)
    if consolidation.primary is None or consolidation.finished_at:
        return redirect("consolidation:show", pk)
    form = ProfileForm(request.POST or as_data(request), account=consolidation.primary)
    if request.method == "GET":
        return _update_page(request, consolidation, form)
    if form.is_valid() and form.changed_data:
        try:
            services.update_profile(
                actor=actor_of(request),
                consolidation_id=pk,
                changes=form.changes(),
                origin=origin_of(request),
            )
        except Refusals as error:
            _show_errors(form, error)
    if form.errors:
        return _update_page(request, consolidation, form)
    messages.success(request, "The profile was saved.")
    return redirect("consolidation:update", pk)


profile.may_ask_for_password = True  # type: ignore[attr-defined]


@require_POST
@needs_right(Right.EDIT)
def enroll(request: HttpRequest, pk: int) -> HttpResponse:
    """Enroll the primary in the courses that were ticked."""
    consolidation = _find(request, pk)
    if consolidation.primary_id is None:
        return redirect("consolidation:show", pk)
    form = EnrollForm(request.POST, ids=[row.pk for row in missing_enrollments(*_roles(consolidation))])
    if not form.is_valid():
        messages.error(request, "A completion date isn't a date. Write it as year-month-day; nothing was changed.")
    elif not form.dates():
        messages.error(request, "Tick the enrollments first.")
    else:
        return _do(request, consolidation, "update", "update", services.re_enroll, dates=form.dates())
    return redirect("consolidation:update", pk)


@require_POST
@needs_right(Right.EDIT)
def completion(request: HttpRequest, pk: int, enrollment: int) -> HttpResponse:
    """Set the completion date of one of the primary's enrollments."""
    consolidation, form = _find(request, pk), DateForm(request.POST)
    if not form.is_valid():
        messages.error(request, "The completion date isn't a date. Write it as year-month-day.")
        return redirect("consolidation:update", pk)
    at = noon(form.cleaned_data["completed_on"])
    step = services.set_completion_date
    return _do(request, consolidation, "update", "update", step, enrollment_id=enrollment, at=at)


@require_http_methods(["GET", "POST"])
@needs_right(Right.EDIT)
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Step 3: remove the secondary."""
    consolidation = _find(request, pk)
    if consolidation.primary_id is None or consolidation.finished_at:
        return redirect("consolidation:show", pk)
    form = RemoveForm(request.POST or None, initial=typed_before(request))
    if request.method == "POST" and form.is_valid() and _finish(request, consolidation, form):
        return redirect("consolidation:show", pk)
    may_delete = actor_of(request).has_right(Right.DELETE)
    context = _context(request, consolidation, 3) | {"form": form, "may_delete": may_delete}
    return render(request, "consolidation/remove.html", context)


remove.asks_for_password = True  # type: ignore[attr-defined]


def _finish(request: HttpRequest, consolidation: Consolidation, form: RemoveForm) -> bool:
    data = form.cleaned_data
    wishes = (data["takes_email"], data["takes_username"], data["notify"])
    ending = services.Ending(data["removal"], form.is_confirmed, *wishes)
    actor, origin = actor_of(request), origin_of(request)
    try:
        services.finish(actor=actor, consolidation_id=consolidation.pk, ending=ending, origin=origin)
    except Refusals as error:
        messages.error(request, error.detail)
        return False
    if data["notify"]:
        hints.send("notices.tasks.send")
    messages.success(request, "The consolidation is finished.")
    return True


def _do(
    request: HttpRequest, consolidation: Consolidation, here: str, then: str, step: Any, **facts: Any
) -> HttpResponse:
    """Take one step; a refusal is shown where the person was."""
    try:
        step(actor=actor_of(request), consolidation_id=consolidation.pk, origin=origin_of(request), **facts)
    except Refusals as error:
        messages.error(request, error.detail)
        then = here
    else:
        messages.success(request, DONE[step.__name__])
    return redirect(f"consolidation:{then}", consolidation.pk)


def _find(request: HttpRequest, pk: int) -> Consolidation:
    """A consolidation whose two accounts this admin may see; a deleted one of a finished consolidation counts as seen."""
    rows = Consolidation.objects.select_related("one", "other", "primary", "started_by")
    consolidation = rows.filter(pk=pk).first()
    if consolidation is None:
        raise Http404
    visible = User.objects.visible_to(actor_of(request)).filter(pk__in=_ids(consolidation))
    if visible.count() != len(_ids(consolidation)):
        raise Http404
    trail.seen(consolidation.one_id, other=consolidation.other_id)
    if not (consolidation.one.is_learner and consolidation.other.is_learner):
        raise PermissionDenied
    return consolidation


def _ids(consolidation: Consolidation) -> set[int]:
    return {consolidation.one_id, consolidation.other_id}


def _roles(consolidation: Consolidation) -> tuple[User, User]:
    """The primary and the secondary."""
    if consolidation.primary_id == consolidation.one_id:
        return consolidation.one, consolidation.other
    return consolidation.other, consolidation.one


def _context(request: HttpRequest, consolidation: Consolidation, step: int) -> dict[str, Any]:
    acts = list(consolidation.acts.select_related("actor"))
    primary, secondary = _roles(consolidation) if consolidation.primary_id else (None, None)
    names = ("identify", "update", "remove")
    words = ("Identify the primary account", "Update the primary account", "Remove the secondary account")
    steps = [
        {
            "number": n,
            "label": label,
            "url": reverse(f"consolidation:{name}", args=[consolidation.pk]),
            "now": n == step,
        }
        for n, (name, label) in enumerate(zip(names, words, strict=True), start=1)
    ]
    return {
        "consolidation": consolidation,
        "primary": primary,
        "secondary": secondary,
        "steps": steps,
        "acts": acts,
        "names": _names(request, (act.actor for act in acts)),
    }


def _names(request: HttpRequest, people: Iterable[User]) -> dict[int, str]:
    """By id, who did something, as far as this admin may know of them."""
    actor = actor_of(request)
    return {person.pk: name_for(actor, person) for person in set(people)}


def _show_errors(form: ProfileForm, error: Exception) -> None:
    for problem in getattr(error, "errors", []):
        name = problem["field"] if problem["field"] in form.fields else None
        form.add_error(name, problem["detail"])
    if not form.errors:
        form.add_error(None, getattr(error, "detail", str(error)))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Http404
    return int(text)
