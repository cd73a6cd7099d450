"""Certificates, certifications, competencies and external training."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.db.models import Q, QuerySet
from django.utils import timezone
from rest_framework import serializers

from accounts.rest import transcript
from accounts.rest.owned import CatalogueRows, ListedIds, OwnedRows, actor_of
from learning_records import services
from learning_records.models import (
    Certificate,
    Certification,
    CertificationAward,
    CertificationCourse,
    CompetencyAward,
    Course,
    ExternalTraining,
)
from learning_records.rest.courses import LONGEST_VALIDITY
from learning_records.rest.enrollments import PLAIN
from rest_contract import fields, filters
from rest_contract.serializers import StrictModel
from rest_contract.views import Row, origin_of


class Superseding(OwnedRows):
    """Rows of which an account counts one per thing. The others are kept, and listed only when asked for."""

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        rows = super().filter_queryset(queryset)
        if self.action != "list" or "superseded" in self.request.query_params:
            return rows
        return rows.filter(is_superseded=False)


class CertificateSerializer(StrictModel):
    fixed = ("user", "course")
    number = fields.CharField(max_length=60, required=False)
    score = fields.ScoreField(allow_null=True, required=False)
    issued_at = fields.DateTimeField(required=False)
    superseded = serializers.BooleanField(source="is_superseded", read_only=True)

    class Meta:
        model = Certificate
        fields = ["id", "user", "course", "number", "score", "issued_at", "expires_at", "superseded"]


class Certificates(Superseding):
    """Paper for a course. A number is given when none is sent; issued now unless told otherwise."""

    model = Certificate
    serializer_class = CertificateSerializer
    filters = {
        "user": filters.by_id("user"),
        "course": filters.by_id("course"),
        "number": filters.by_text("number"),
        "superseded": filters.by_flag("is_superseded"),
    }
    orderings = {"id": "id", "issued_at": "issued_at", "expires_at": "expires_at"}

    def as_columns(self, row: Row) -> Row:
        if "user" in row:
            row = {"number": f"C-{uuid4().hex[:16].upper()}", "issued_at": timezone.now(), **row}
        return super().as_columns(row)


class CertificationSerializer(StrictModel):
    courses = fields.IdListField(Course, required=False)
    validity_days = fields.IntegerField(min_value=0, max_value=LONGEST_VALIDITY, allow_null=True, required=False)
    renewal_window_days = fields.IntegerField(min_value=0, max_value=LONGEST_VALIDITY, required=False)

    class Meta:
        model = Certification
        fields = ["id", "title", "courses", "validity_days", "renewal_window_days", "late_renewal"]


class Certifications(ListedIds, CatalogueRows):
    """A qualification that one of its courses earns, and that ends after a time."""

    model = Certification
    serializer_class = CertificationSerializer
    filters = {"search": filters.by_words("title")}
    orderings = {"id": "id", "title": "title"}
    lists = {"courses": (CertificationCourse, "certification", "course")}


class CertificationAwardSerializer(StrictModel):
    fixed = ("user", "certification", "source")
    issued_at = fields.DateTimeField(required=False)
    active = serializers.BooleanField(source="is_active", read_only=True)

    class Meta:
        model = CertificationAward
        fields = ["id", "user", "certification", "source", "issued_at", "expires_at", "active"]


class CertificationAwards(OwnedRows):
    """An account holds a certification; at most one award of each is active. Expires as the certification says."""

    model = CertificationAward
    serializer_class = CertificationAwardSerializer
    filters = {
        "user": filters.by_id("user"),
        "certification": filters.by_id("certification"),
        "source": filters.by_choice("source", CertificationAward.Source.values),
        "active": filters.by_flag("is_active"),
    }
    orderings = {"id": "id", "issued_at": "issued_at", "expires_at": "expires_at"}

    def insert(self, rows: list[Row]) -> list[Any]:
        terms = Certification.objects.in_bulk({row["certification"] for row in rows})
        return super().insert([_dated(row, terms[row["certification"]]) for row in rows])


def _dated(row: Row, certification: Certification) -> Row:
    row = {"issued_at": timezone.now(), **row}
    if "expires_at" not in row and certification.validity_days is not None:
        row["expires_at"] = row["issued_at"] + timedelta(days=certification.validity_days)
    return row


class CompetencyAwardSerializer(StrictModel):
    fixed = ("user", "competency")
    superseded = serializers.BooleanField(source="is_superseded", read_only=True)

    class Meta:
        model = CompetencyAward
        fields = ["id", "user", "competency", "level", "awarded_at", "superseded"]


class CompetencyAwards(Superseding):
    """An account reached a level of a competency."""

    model = CompetencyAward
    serializer_class = CompetencyAwardSerializer
    filters = {
        "user": filters.by_id("user"),
        "competency": filters.by_text("competency"),
        "superseded": filters.by_flag("is_superseded"),
    }
    orderings = {"id": "id", "level": "level", "awarded_at": "awarded_at"}


class ExternalTrainingSerializer(StrictModel):
    fixed = ("user", "certification")

    class Meta:
        model = ExternalTraining
        fields = ["id", "user", "title", "provider", "completed_at", "certification", "expires_at"]


class ExternalTrainings(OwnedRows):
    """Training taken elsewhere. With a certification it awards that."""

    model = ExternalTraining
    serializer_class = ExternalTrainingSerializer
    filters = {"user": filters.by_id("user"), "certification": filters.by_id("certification")}
    orderings = {"id": "id", "completed_at": "completed_at", "title": "title"}

    def insert(self, rows: list[Row]) -> list[Any]:
        self.lock(rows)
        entries = [{PLAIN.get(name, name): value for name, value in row.items()} for row in rows]
        return services.add_external_trainings(
            entries, actor_id=actor_of(self.request).pk, origin=origin_of(self.request)
        )


transcript.register("certificates", Certificates, Q(is_superseded=False))
transcript.register("certifications", CertificationAwards, Q(is_active=True))
transcript.register("competencies", CompetencyAwards, Q(is_superseded=False))
transcript.register("external_trainings", ExternalTrainings)
