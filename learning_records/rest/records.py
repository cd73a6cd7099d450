"""Learning records: the evidence that a person finished something."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema_serializer

from accounts.rest import transcript
from accounts.rest.owned import actor_of, in_sight
from learning_records import services
from learning_records.hints import hint_owed
from learning_records.models import LearningRecord
from learning_records.rest.enrollments import PLAIN, Voidable, at_places
from rest_contract import fields, filters
from rest_contract.schema import NOT_BLANK
from rest_contract.serializers import StrictModel
from rest_contract.views import Row, origin_of

VARIANTS = [
    {
        "title": "of a course",
        "required": ["course"],
        "properties": {"kind": {"enum": ["course"]}, "course": {"type": "integer"}},
    },
    {
        "title": "of a program or activity",
        "required": ["title"],
        "properties": {
            "kind": {"enum": ["program", "activity"]},
            "course": {"type": "null"},
            "title": {"type": "string", "minLength": 1, "pattern": NOT_BLANK},
        },
    },
]


@extend_schema_serializer(extensions={"x-variants": VARIANTS})
class LearningRecordSerializer(StrictModel):
    fixed = ("user", "kind", "course", "title", "completed_at", "score")
    score = fields.ScoreField(allow_null=True, required=False)
    equivalent_of = fields.IdField(LearningRecord, read_only=True, allow_null=True)

    class Meta:
        model = LearningRecord
        fields = [
            "id",
            "user",
            "kind",
            "course",
            "title",
            "completed_at",
            "expires_at",
            "score",
            "voided_at",
            "origin",
            "equivalent_of",
            "enrollment",
            "received_at",
        ]
        read_only_fields = ["voided_at", "origin", "equivalent_of", "enrollment", "received_at"]


def _valid(rows: QuerySet[Any], wanted: bool) -> QuerySet[Any]:
    valid = LearningRecord.objects.valid()
    return rows.filter(pk__in=valid.values("pk")) if wanted else rows.exclude(pk__in=valid.values("pk"))


class LearningRecords(Voidable):
    """Received once, for good. Only the end of validity can change; a mistake is voided."""

    model = LearningRecord
    serializer_class = LearningRecordSerializer
    filters = {
        "user": filters.by_id("user"),
        "course": filters.by_id("course"),
        "kind": filters.by_choice("kind", LearningRecord.Kind.values),
        "origin": filters.by_choice("origin", LearningRecord.Origin.values),
        "valid": filters.flag(_valid),
        "enrollment": filters.by_id("enrollment"),
        "equivalent_of": filters.by_id("equivalent_of"),
        "received_since": filters.since("received_at"),
        "superseded": filters.by_flag("is_superseded"),
    }
    orderings = {
        "id": "id",
        "completed_at": "completed_at",
        "received_at": "received_at",
        "expires_at": "expires_at",
    }
    void_with = staticmethod(services.void_record)
    restore_with = staticmethod(services.restore_record)

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        rows = super().filter_queryset(queryset)
        if self.action != "list" or "superseded" in self.request.query_params:
            return rows
        return rows.filter(is_superseded=False)

    def insert(self, rows: list[Row]) -> list[Any]:
        self.lock(rows)
        entries = [services.NewRecord(**{PLAIN.get(name, name): value for name, value in row.items()}) for row in rows]
        with at_places(self.many):
            made = services.receive(entries, actor_id=actor_of(self.request).pk, origin=origin_of(self.request))
        hint_owed()
        return made

    def change(self, row: Any, values: Row) -> Any:
        if "expires_at" not in values:
            return row
        actor_id, origin = actor_of(self.request).pk, origin_of(self.request)
        with in_sight():
            changed = services.change_expiry(row.pk, expires_at=values["expires_at"], actor_id=actor_id, origin=origin)
        hint_owed()
        return changed


transcript.register("learning_records", LearningRecords, Q(is_superseded=False))
