"""An account's enrollments, as administrators work on them: enroll, set completion by hand, void and restore."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.models import Right, User
from accounts.views.access import actor_of, deciding, find_account, name_for, needs_right, origin_of
from accounts.views.actions import may_edit
from audit import trail
from learning_records import services
from learning_records.errors import LearningError
from learning_records.hints import hint_owed
from learning_records.models import Course, Enrollment

Status = Enrollment.Status


def _noon(day: Any) -> datetime:
    """A day without a time counts from its noon, UTC, so that it is the same day almost everywhere."""
    return datetime.combine(day, time(12), tzinfo=UTC)


class EnrollForm(forms.Form):
    """A course for an account, completed already or not."""

    course = forms.ModelChoiceField(Course.objects.all(), empty_label="Choose a course")
    completed_on = forms.DateField(
        label="Completion date",
        required=False,
        widget=forms.DateInput({"type": "date"}),
        help_text="Leave it empty to enroll without completing. A date is recorded as set by hand, by you.",
    )
    score = forms.DecimalField(min_value=0, max_value=100, max_digits=5, decimal_places=2, required=False)

    def values(self) -> dict[str, Any]:
        """What the service is to set."""
        data, values = self.cleaned_data, {}
        if data["completed_on"]:
            values = {"status": Status.COMPLETED, "completed_at": _noon(data["completed_on"])}
        return values | ({"score": data["score"]} if data["score"] is not None else {})


class CompletionForm(EnrollForm):
    """The day on which an enrollment was completed."""

    course = None  # type: ignore[assignment]  # Django's way to leave a field out

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["completed_on"].required = True
        self.fields["completed_on"].help_text = "It is recorded as set by hand, by you, now."


class VoidForm(forms.Form):
    reason = forms.CharField(max_length=300, help_text="It is kept with the enrollment.")


@require_http_methods(["GET", "POST"])
@needs_right(Right.EDIT)
def enroll(request: HttpRequest, account_id: int) -> HttpResponse:
    """Put an account into a course."""
    account = _editable(request, account_id)
    form = EnrollForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        values = form.values()
        try:
            with deciding():
                enrollment = services.enroll(
                    account.pk,
                    form.cleaned_data["course"].pk,
                    values,
                    actor_id=actor_of(request).pk,
                    origin=origin_of(request),
                    by_hand="completed_at" in values,
                )
        except LearningError as error:
            form.add_error(None, error.detail)
        else:
            hint_owed()
            messages.success(request, f"{account} is enrolled in {enrollment.course}.")
            return redirect("learning_records:enrollment", enrollment.pk)
    return render(request, "learning_records/enroll.html", {"account": account, "form": form})


@require_http_methods(["GET", "POST"])
@needs_right(Right.VIEW)
def enrollment(request: HttpRequest, pk: int) -> HttpResponse:
    """One enrollment: its facts and tracking; set its completion, void it, restore it."""
    found = _find(request, pk)
    may_change = may_edit(actor_of(request), found.user)
    if request.method == "POST" and not may_change:
        raise PermissionDenied
    acts = {"complete": CompletionForm, "void": VoidForm, "restore": VoidForm}
    chosen = request.POST.get("act", "")
    form = acts[chosen](request.POST) if chosen in acts else None
    if (
        request.method == "POST"
        and may_change
        and form is not None
        and form.is_valid()
        and _act(request, found, chosen, form)
    ):
        return redirect("learning_records:enrollment", pk)
    context = {
        "enrollment": found,
        "account": found.user,
        "set_by": name_for(actor_of(request), found.completion_set_by),
        "merged_from": _origin(request, found),
        "may_change": may_change,
        "tracking": found.tracking.order_by("material", "attempt"),
        "completion_form": form if chosen == "complete" else CompletionForm(initial={"score": found.score}),
        "void_form": form if chosen in ("void", "restore") else VoidForm(),
    }
    return render(request, "learning_records/enrollment.html", context)


def _act(request: HttpRequest, found: Enrollment, chosen: str, form: Any) -> bool:
    """Do what the person chose; a refusal is shown on the form."""
    who: dict[str, Any] = {"actor_id": actor_of(request).pk, "origin": origin_of(request)}
    try:
        with deciding():
            _carry_out(found.pk, chosen, form, who)
    except LearningError as error:
        form.add_error(None, error.detail)
        return False
    hint_owed()
    messages.success(request, "The enrollment was saved.")
    return True


def _carry_out(pk: int, chosen: str, form: Any, who: dict[str, Any]) -> None:
    if chosen == "complete":
        services.update_enrollment(pk, form.values(), by_hand=True, **who)
    elif chosen == "void":
        services.void_enrollment(pk, reason=form.cleaned_data["reason"], **who)
    else:
        services.restore_enrollment(pk, reason=form.cleaned_data["reason"], **who)


def _origin(request: HttpRequest, found: Enrollment) -> User | None:
    """The account that a merge brought it from, unless the actor may not know of it."""
    seen: User | None = User.objects.visible_to(actor_of(request)).filter(pk=found.merged_from_id).first()
    return seen


def _find(request: HttpRequest, pk: int) -> Enrollment:
    seen = User.objects.visible_to(actor_of(request)).values("pk")
    rows = Enrollment.objects.select_related("user", "course", "completion_set_by", "merged_from")
    found = rows.filter(pk=pk, user__in=seen).first()
    if found is None:
        raise Http404
    trail.seen(found.user_id)
    return found


def _editable(request: HttpRequest, account_id: int) -> User:
    account = find_account(actor_of(request), account_id)
    if not may_edit(actor_of(request), account) or account.status == "deleted":
        raise Http404
    return account
