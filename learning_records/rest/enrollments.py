"""Enrollments, and what training materials reported."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import models, transaction
from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.errors import UnknownAccount
from accounts.rest import transcript
from accounts.rest.owned import OwnedRows, actor_of, in_sight
from accounts.rest.serializers import OptionalReasonSerializer, ReasonSerializer
from accounts.services import lock_owners
from accounts.services.permissions import writable_by
from learning_records import errors, services
from learning_records.hints import hint_owed
from learning_records.models import Enrollment, MaterialTracking
from rest_contract import fields, filters
from rest_contract.problems import Invalid, Problem, answer_with, field_error
from rest_contract.serializers import Strict, StrictModel
from rest_contract.views import Row, missing, origin_of, unknown

answer_with(400, errors.EntriesInvalid)
answer_with(409, errors.LearningError)


PLAIN = {"user": "user_id", "course": "course_id", "certification": "certification_id"}


class Voidable(OwnedRows):
    """Rows that can be voided for a reason, and restored."""

    void_with: Callable[..., Any]
    restore_with: Callable[..., Any]

    @extend_schema(request=ReasonSerializer)
    @action(detail=True, methods=["post"])
    def void(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Say that it never counted, and why."""
        return self._act(type(self).void_with, ReasonSerializer(data=request.data))

    @extend_schema(request=OptionalReasonSerializer)
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Take a void back."""
        return self._act(type(self).restore_with, OptionalReasonSerializer(data=request.data))

    def _act(self, act: Callable[..., Any], body: Strict) -> Response:
        row = self.get_object()
        self.may_write()
        self.may_change(row)
        body.is_valid(raise_exception=True)
        with transaction.atomic(), in_sight():
            changed = act(
                row.pk,
                reason=body.validated_data.get("reason", ""),
                actor_id=actor_of(self.request).pk,
                origin=origin_of(self.request),
            )
            shown = self.show([changed])
        hint_owed()
        return Response(shown[0])


class EnrollmentSerializer(StrictModel):
    fixed = ("user", "course")
    score = fields.ScoreField(allow_null=True, required=False)
    progress = fields.IntegerField(min_value=0, max_value=100, required=False)
    historical = serializers.BooleanField(source="is_historical", read_only=True)

    class Meta:
        model = Enrollment
        fields = [
            "id",
            "user",
            "course",
            "status",
            "score",
            "progress",
            "enrolled_at",
            "started_at",
            "completed_at",
            "expires_at",
            "historical",
            "voided_at",
            "merged_from",
        ]
        read_only_fields = ["voided_at", "merged_from"]


class Enrollments(Voidable):
    """An account in a course. Becoming completed gives the account one learning record."""

    model = Enrollment
    serializer_class = EnrollmentSerializer
    masks = ("merged_from",)
    filters = {
        "user": filters.by_id("user"),
        "course": filters.by_id("course"),
        "historical": filters.by_flag("is_historical"),
        "status": filters.by_choice("status", Enrollment.Status.values),
    }
    orderings = {"id": "id", "enrolled_at": "enrolled_at", "completed_at": "completed_at", "expires_at": "expires_at"}
    void_with = staticmethod(services.void_enrollment)
    restore_with = staticmethod(services.restore_enrollment)

    def insert(self, rows: list[Row]) -> list[Any]:
        self.lock(rows)
        entries = [{PLAIN.get(name, name): value for name, value in row.items()} for row in rows]
        with at_places(self.many):
            made = services.enroll_many(entries, actor_id=actor_of(self.request).pk, origin=origin_of(self.request))
        hint_owed()
        return made

    def change(self, row: Any, values: Row) -> Any:
        actor_id, origin = actor_of(self.request).pk, origin_of(self.request)
        with at_places(False), in_sight():
            changed = services.update_enrollment(row.pk, values, actor_id=actor_id, origin=origin)
        hint_owed()
        return changed


@contextmanager
def at_places(many: bool) -> Iterator[None]:
    """Tells the service's problems with the places that it names; one that contradicts the status is a conflict."""
    try:
        yield
    except errors.EntriesInvalid as error:
        found = [_named(problem, many) for problem in error.errors[:100]]
        if all(problem["code"] == "not_completed" for problem in found):
            raise Problem(409, "not_completed", found[0]["detail"], errors=found) from error
        raise Invalid(*found) from error


def _named(problem: Mapping[str, Any], many: bool) -> dict[str, str]:
    path = f"{problem['index']}." if many else ""
    return field_error(path + problem["field"], problem["code"], problem["detail"])


class MaterialTrackingSerializer(StrictModel):
    fixed = ("enrollment", "material", "attempt")
    score = fields.ScoreField(allow_null=True, required=False)
    attempt = fields.IntegerField(min_value=1, max_value=fields.INT32, required=False)

    class Meta:
        model = MaterialTracking
        fields = ["id", "enrollment", "material", "kind", "status", "score", "attempt", "responses", "state"]


class Tracking(OwnedRows):
    """What one training material reported for one enrollment and attempt."""

    model = MaterialTracking
    serializer_class = MaterialTrackingSerializer
    owner = "enrollment__user"
    filters = {
        "enrollment": filters.by_id("enrollment"),
        "user": filters.by_id("enrollment__user"),
        "material": filters.by_text("material"),
        "kind": filters.by_choice("kind", MaterialTracking.Kind.values),
    }

    def owner_of(self, row: Any) -> int:
        return int(row.enrollment.user_id)

    def referable(self, model: type[models.Model], name: str) -> QuerySet[Any]:
        actor = actor_of(self.request)
        if model is Enrollment and not actor.is_superadmin:
            return Enrollment.objects.filter(user__in=writable_by(actor).order_by().values("pk"))
        return super().referable(model, name)

    def insert(self, rows: list[Row]) -> list[Any]:
        """Tracking follows its enrollment, whoever owns that by now."""
        found = self._lock_enrollments(rows)
        made = [self.model(**self.as_columns(row)) for row in rows]
        for tracking in made:
            tracking.enrollment = found[tracking.enrollment_id]
        MaterialTracking.objects.bulk_create(made)
        self.note("created", made)
        return made

    def _lock_enrollments(self, rows: list[Row]) -> dict[int, Enrollment]:
        """Those that the rows name, once their accounts are locked; a merge may have moved them meanwhile."""
        ids = {row["enrollment"] for row in rows}
        owners: set[int] = set()
        while (found := Enrollment.objects.in_bulk(ids)) and not {row.user_id for row in found.values()} <= owners:
            owners = {row.user_id for row in found.values()}
            try:
                lock_owners(owners, actor_id=actor_of(self.request).pk)
            except UnknownAccount as error:
                out = {pk for pk, row in found.items() if row.user_id in error.account_ids}
                places = [place for place, row in enumerate(rows) if row["enrollment"] in out]
                name = "{}.enrollment" if self.many else "enrollment"
                raise unknown([missing(name.format(place)) for place in places]) from error
        return found


transcript.register("enrollments", Enrollments, Q(is_historical=False))
