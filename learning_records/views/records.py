"""The pages of learning records: receive one, look at one, void it and restore it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.models import Right, User
from accounts.views.access import actor_of, deciding, find_account, needs_right, origin_of
from accounts.views.actions import may_edit
from audit import trail
from learning_records import services
from learning_records.errors import EntriesInvalid, LearningError
from learning_records.forms import ReasonForm, RecordForm
from learning_records.hints import hint_owed
from learning_records.models import LearningRecord

FIELDS: Final = {"completed_at": "completed_on", "expires_at": "expires_on"}


@needs_right(Right.EDIT)
def receive(request: HttpRequest, account_id: int) -> HttpResponse:
    """An admin's form for one record."""
    account = _editable(request, find_account(actor_of(request), account_id))
    form = RecordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        record = _receive(request, account, form)
        if record is not None:
            messages.success(request, "The learning record was received.")
            return redirect("learning_records:record", record.pk)
    return render(request, "learning_records/receive.html", {"account": account, "form": form})


def _receive(request: HttpRequest, account: User, form: RecordForm) -> LearningRecord | None:
    try:
        entry = form.entry(account.pk)
        with deciding():
            (record,) = services.receive([entry], actor_id=actor_of(request).pk, origin=origin_of(request))
    except EntriesInvalid as error:
        for problem in error.errors:
            field = FIELDS.get(problem["field"], problem["field"])
            form.add_error(field if field in form.fields else None, problem["detail"])
        return None
    except LearningError as error:
        form.add_error(None, error.detail)
        return None
    hint_owed()
    return record


@require_GET
@login_required
def record(request: HttpRequest, record_id: int) -> HttpResponse:
    """One record, and what it is equivalent to, or which equivalencies it gave."""
    return _page(request, _find(request, record_id), ReasonForm())


@require_POST
@needs_right(Right.EDIT)
def void(request: HttpRequest, record_id: int) -> HttpResponse:
    found = _find(request, record_id)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _page(request, found, form)
    return _change(request, found, services.void_record, form.cleaned_data["reason"], "The record is void.")


@require_POST
@needs_right(Right.EDIT)
def restore(request: HttpRequest, record_id: int) -> HttpResponse:
    return _change(request, _find(request, record_id), services.restore_record, "", "The record counts again.")


def _change(
    request: HttpRequest, found: LearningRecord, act: Callable[..., LearningRecord], reason: str, done: str
) -> HttpResponse:
    _editable(request, found.user)
    try:
        with deciding():
            act(found.pk, reason=reason, actor_id=actor_of(request).pk, origin=origin_of(request))
    except LearningError as error:
        messages.error(request, error.detail)
    else:
        hint_owed()
        messages.success(request, f"{done} Its equivalencies follow.")
    return redirect("learning_records:record", found.pk)


def _page(request: HttpRequest, found: LearningRecord, form: ReasonForm) -> HttpResponse:
    actor = actor_of(request)
    visible = User.objects.visible_to(actor)
    related = LearningRecord.objects.listed().select_related("user").filter(user__in=visible.order_by().values("pk"))
    context: dict[str, Any] = {
        "record": found,
        "form": form,
        "origin": related.filter(equivalencies=found).first(),
        "equivalencies": related.filter(equivalent_of=found).order_by("id"),
        "may_change": actor.has_right(Right.EDIT)
        and may_edit(actor, found.user)
        and found.origin == LearningRecord.Origin.EARNED,
        "sees_others": actor.has_right(Right.VIEW),
    }
    return render(request, "learning_records/record.html", context)


def _find(request: HttpRequest, record_id: int) -> LearningRecord:
    """A record of an account that the actor may see; others answer as if they didn't exist."""
    visible = User.objects.visible_to(actor_of(request)).order_by().values("pk")
    rows = LearningRecord.objects.select_related("user", "course", "enrollment", "merged_from")
    found = rows.filter(pk=record_id, user__in=visible).first()
    if found is None:
        raise Http404("There is no such record, or it isn't yours to see.")
    trail.seen(found.user_id)
    return found


def _editable(request: HttpRequest, account: User) -> User:
    if not may_edit(actor_of(request), account):
        raise PermissionDenied
    return account
