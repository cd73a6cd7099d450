"""REST: merges, previewed, done, looked into and undone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from merging import errors, review, services, tasks
from merging.changes import ChangeSerializer, JournalPages
from merging.handlers import SECTIONS, Outcome
from merging.models import Merge
from merging.plan import Plan
from merging.policies import POLICIES, default_policy
from merging.turns import in_turn
from rest_contract import fields, filters
from rest_contract.problems import Forbidden, Problem, answer_with, field_error
from rest_contract.serializers import Strict, StrictModel
from rest_contract.views import Rows, origin_of

PREVIEW_ROWS = 500


def _status_of(error: errors.MergeError) -> int:
    return 403 if error.code == errors.ActorNotAllowed.code else 409


answer_with(_status_of, errors.MergeError)
answer_with(400, errors.ChoicesInvalid)
answer_with(503, errors.MergeIsBusy)


SIDE = {"type": "string", "enum": ["source", "destination"]}
CHOICES = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        part: {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "merge": {"type": "boolean"},
                key: {"type": "object", "propertyNames": {"pattern": names}, "additionalProperties": SIDE},
            },
        }
        for part, key, names in (
            ("profile", "fields", "^[A-Za-z0-9_-]{1,50}$"),
            ("enrollments", "courses", "^[0-9]{1,18}$"),
        )
    },
}


@extend_schema_field(CHOICES)
class ChoicesField(fields.ObjectField):
    """What a person decided; `merging.policies` reads it, and says what is wrong with it."""


class QuestionSerializer(Strict):
    """Which accounts, how, and what a person decided."""

    source = fields.IdField(get_user_model())  # type: ignore[assignment]
    destination = fields.IdField(get_user_model())
    policy = fields.ChoiceField(choices=[name for name, policy in POLICIES.items() if policy.merges], required=False)
    choices = ChoicesField(required=False)


class RequestSerializer(QuestionSerializer):
    digest = fields.CharField(max_length=400, required=False, allow_blank=True)
    reason = fields.CharField(max_length=300, required=False, allow_blank=True)
    notify = fields.BooleanField(required=False)


class NoticeSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()


class CountsSerializer(serializers.Serializer[Any]):
    def get_fields(self) -> dict[str, Any]:
        return {outcome.value: serializers.IntegerField() for outcome in Outcome}


class RowSerializer(serializers.Serializer[Any]):
    what = serializers.CharField()
    outcome = serializers.ChoiceField(choices=[outcome.value for outcome in Outcome])
    reason = serializers.CharField()
    detail = fields.ObjectField()


class SectionSerializer(serializers.Serializer[Any]):
    key = serializers.ChoiceField(choices=list(SECTIONS))
    label = serializers.CharField()  # type: ignore[assignment]
    counts = CountsSerializer()
    rows = RowSerializer(many=True)


class PlanSerializer(serializers.Serializer[Any]):
    digest = serializers.CharField()
    policy = serializers.CharField()
    source = serializers.IntegerField()  # type: ignore[assignment]
    destination = serializers.IntegerField()
    blockers = NoticeSerializer(many=True)
    warnings = NoticeSerializer(many=True)
    sections = SectionSerializer(many=True)


class MergeSerializer(StrictModel):
    error_code = serializers.CharField(read_only=True)

    class Meta:
        model = Merge
        fields = [
            "id",
            "source",
            "destination",
            "policy",
            "choices",
            "status",
            "counts",
            "reason",
            "notify",
            "requested_at",
            "performed_by",
            "performed_at",
            "undo_until",
            "undone_by",
            "undone_at",
            "undo_reason",
            "error",
            "error_code",
        ]
        read_only_fields = fields


class UndoSerializer(Strict):
    reason = fields.CharField(max_length=300)


class Merges(Rows):
    """Two accounts become one. A merge is done at once, or queued when it is large; a done one can be undone."""

    model = Merge
    serializer_class = MergeSerializer
    filters = {
        "source": filters.by_id("source"),
        "destination": filters.by_id("destination"),
        "status": filters.by_choice("status", Merge.Status.values),
    }
    orderings = {"id": "id", "performed_at": "performed_at", "requested_at": "requested_at"}
    grave = ("create", "undo")
    personal = True
    scopes = {
        "list": ("read", "merge"),
        "retrieve": ("read", "merge"),
        "changes": ("read", "merge"),
        "preview": ("merge", "read"),
        "create": ("merge",),
        "undo": ("undo",),
    }

    @property
    def actor(self) -> Any:
        return self.request.user

    def scope(self) -> QuerySet[Any]:
        """Merges of which the caller may know both accounts."""
        if self.actor.is_superadmin:
            return Merge.objects.all()
        seen = get_user_model().objects.visible_to(self.actor).order_by().values("pk")
        return Merge.objects.filter(source__in=seen, destination__in=seen)

    def owner_of(self, row: Merge) -> int:
        return row.source_id

    def show(self, rows: Sequence[Any]) -> list[Any]:
        """Who did it is told only to those who may know of them."""
        shown = super().show(rows)
        if not self.actor.is_superadmin:
            named = {row[name] for row in shown for name in ("performed_by", "undone_by")}
            seen = self._seen(named - {None})
            for row in shown:
                row.update({name: None for name in ("performed_by", "undone_by") if row[name] not in seen})
        return shown

    @extend_schema(request=RequestSerializer, responses={201: MergeSerializer, 202: MergeSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Merge the source into the destination."""
        question = self._question(RequestSerializer(data=request.data))
        merge = services.request_merge(
            actor=self.actor,
            origin=origin_of(request),
            **question,
        )
        tasks.follow_up(merge)
        return Response(self.show([merge])[0], status=202 if merge.status == Merge.Status.QUEUED else 201)

    @extend_schema(request=QuestionSerializer, responses=PlanSerializer)
    @action(detail=False, methods=["post"])
    def preview(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """What the merge would do, and what stands in its way. Writes nothing."""
        question = self._question(QuestionSerializer(data=request.data))
        self.note_read("read", question["source_id"], destination=question["destination_id"])
        with in_turn(self.actor.pk):
            return Response(_previewed(services.preview(actor=self.actor, **question)))

    @extend_schema(responses=ChangeSerializer(many=True))
    @action(detail=True, methods=["get"], pagination_class=JournalPages)
    def changes(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The journal: each row that the merge wrote, added, or left for a reason."""
        merge = self.get_object()
        pages = JournalPages()
        rows = pages.rows_of(merge, request)
        self.note_read("read", merge.source_id)
        return pages.get_paginated_response(rows)

    @extend_schema(request=UndoSerializer, responses=MergeSerializer)
    @action(detail=True, methods=["post"])
    def undo(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Play the journal backwards. A superadmin's, until `undo_until`."""
        merge = self.get_object()
        if not self.actor.is_superadmin:
            raise Forbidden("not_allowed", "Only a superadmin may undo a merge.")
        body = UndoSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        undone = services.undo_merge(
            actor=self.actor,
            merge_id=merge.pk,
            reason=body.validated_data["reason"],
            origin=origin_of(request),
        )
        return Response(self.show([undone])[0])

    def _question(self, body: Strict) -> dict[str, Any]:
        """What the services ask for. Raises Forbidden without the rights, and 404 for an account out of sight."""
        _need_rights(self.actor)
        body.is_valid(raise_exception=True)
        question: dict[str, Any] = {"policy": default_policy().name, **body.validated_data}
        wanted = {name: question.pop(name) for name in ("source", "destination")}
        seen = self._seen(set(wanted.values()))
        problems = [
            field_error(name, "not_found", "There is no such account.") for name, pk in wanted.items() if pk not in seen
        ]
        if problems:
            raise Problem(404, "not_found", "There is no such account.", errors=problems)
        return {**question, "source_id": wanted["source"], "destination_id": wanted["destination"]}

    def _seen(self, ids: set[Any]) -> set[int]:
        users = get_user_model().objects.visible_to(self.actor)
        return set(users.filter(pk__in=ids).values_list("pk", flat=True))


def _previewed(plan: Plan) -> dict[str, Any]:
    return {
        "digest": plan.digest,
        "policy": plan.case.policy.name,
        "source": plan.case.source.pk,
        "destination": plan.case.destination.pk,
        "blockers": [{"code": notice.code, "detail": notice.detail} for notice in plan.blockers],
        "warnings": [{"code": notice.code, "detail": notice.detail} for notice in plan.warnings],
        "sections": [section.as_json() for section in review.sections(plan, PREVIEW_ROWS)],
    }


def _need_rights(actor: Any) -> None:
    if not (actor.has_right("users.view") and actor.has_right("users.edit")):
        raise errors.ActorNotAllowed
