"""Merges in the admin site: requested, looked at and undone there through the same services as everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from merging import services, tasks
from merging.access import actor_of, asks_for_password, origin_of, typed_before
from merging.errors import MergeError
from merging.models import JournalEntry, Merge
from merging.policies import POLICIES, default_policy

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
    ModelForm = forms.ModelForm[Merge]
else:  # they take no type at run time
    ModelAdmin, ModelForm = admin.ModelAdmin, forms.ModelForm


class ReadOnly(ModelAdmin):
    """History: nobody edits it."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class RequestForm(ModelForm):
    """What a new merge needs. The accounts are named by id, so that a million of them don't matter."""

    policy = forms.ChoiceField(choices=[(p.name, p.label) for p in POLICIES.values() if p.merges])

    class Meta:
        model = Merge
        fields = ["source", "destination", "policy", "reason", "notify"]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("source") and given.get("destination") and given["source"] == given["destination"]:
            raise forms.ValidationError("A merge needs two different accounts.")
        return given


class UndoActionForm(ActionForm):
    reason = forms.CharField(required=False, max_length=300, label="Reason: ")


@admin.register(Merge)
class MergeAdmin(ReadOnly):
    form = RequestForm
    action_form = UndoActionForm
    actions = ["undo"]
    raw_id_fields = ["source", "destination"]
    list_display = ["id", "source", "destination", "policy", "status", "performed_by", "performed_at"]
    list_filter = ["status", "policy"]
    list_select_related = ["source", "destination", "performed_by"]
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return actor_of(request).is_superadmin

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return RequestForm.Meta.fields if obj is None else [field.name for field in Merge._meta.fields]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"policy": default_policy().name} | typed_before(request)

    @asks_for_password
    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        try:
            return super().add_view(request, form_url, extra_context)
        except MergeError as error:
            messages.error(request, f"Nothing was merged. {error.detail}")
            return redirect(request.get_full_path())

    def save_model(self, request: HttpRequest, obj: Merge, form: Any, change: bool) -> None:
        """Request the merge instead of storing a row."""
        merge = services.request_merge(
            actor=actor_of(request),
            source_id=obj.source_id,
            destination_id=obj.destination_id,
            policy=obj.policy,
            reason=obj.reason,
            notify=obj.notify,
            origin=origin_of(request),
        )
        obj.pk, obj.status = merge.pk, merge.status
        tasks.follow_up(merge)

    @asks_for_password
    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(request, extra_context)

    @admin.action(description="Undo the selected merge")
    def undo(self, request: HttpRequest, chosen: QuerySet[Merge]) -> None:
        """One at a time, newest first, with the reason given beside the action."""
        reason = request.POST.get("reason", "").strip()
        if not reason:
            messages.error(request, "Nothing was undone. Give a reason beside the action.")
            return
        for merge in chosen.order_by("-id"):
            try:
                services.undo_merge(
                    actor=actor_of(request), merge_id=merge.pk, reason=reason, origin=origin_of(request)
                )
            except MergeError as error:
                messages.error(request, f"Merge {merge.pk} was not undone. {error.detail}")
            else:
                messages.success(request, f"Merge {merge.pk} was undone.")


@admin.register(JournalEntry)
class JournalEntryAdmin(ReadOnly):
    list_display = ["merge_id", "position", "section", "model", "kind", "outcome", "reason", "what"]
    list_filter = ["kind", "outcome", "section"]
    search_fields = ["=merge__id"]
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("ids")
