"""What people did, on their page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import Q
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from accounts.transcript import Column, Kind, register
from learning_records.models import (
    Certificate,
    CertificationAward,
    CompetencyAward,
    Enrollment,
    ExternalTraining,
    LearningPlanEnrollment,
    LearningRecord,
)

Notes = Iterator[tuple[str, str]]
SUPERSEDED = Q(is_superseded=True)


def _expiry(row: Any) -> Notes:
    if row.expires_at and row.expires_at <= timezone.now():
        yield "warning", "Expired"


def _score(row: Any) -> str:
    """Without the zeros that say nothing."""
    return "" if row.score is None else f"{row.score.normalize():f}"


def _kept_aside(row: Any) -> Notes:
    if row.is_superseded:
        yield "", "Superseded"


def _enrollment_notes(row: Enrollment) -> Notes:
    if row.is_historical:
        yield "", "Historical"
    if row.voided_at:
        yield "danger", f"Voided: {row.void_reason}" if row.void_reason else "Voided"
    if row.completion_set_by_id:
        yield "", "Completion recorded manually"  # by whom, its own page says to those who may know of them
    yield from _expiry(row)


def _record_notes(row: LearningRecord) -> Notes:
    if row.origin == LearningRecord.Origin.EQUIVALENCY:
        yield "info", "Equivalency"
    if row.is_superseded:
        yield "", "Superseded"
    if row.voided_at:
        yield "danger", f"Voided: {row.void_reason}" if row.void_reason else "Voided"
    yield from _expiry(row)


def _record_link(row: LearningRecord) -> str:
    return format_html('<a href="{}">{}</a>', reverse("learning_records:record", args=[row.pk]), row)


def _certificate_notes(row: Certificate) -> Notes:
    yield from _kept_aside(row)
    yield from _expiry(row)


def _award_notes(row: CertificationAward) -> Notes:
    if not row.is_active:
        yield "", "Inactive"
    yield from _expiry(row)


register(
    Kind(
        key="enrollments",
        label="Enrollments",
        rows=lambda account: Enrollment.objects.filter(user=account).select_related("course"),
        columns=(
            Column("Course", "course.title"),
            Column("Status", lambda row: row.get_status_display()),
            Column("Score", _score),
            Column("Progress", lambda row: f"{row.progress} %"),
            Column("Enrolled", "enrolled_at"),
            Column("Completed", "completed_at"),
            Column("Valid until", "expires_at"),
        ),
        aside=Q(is_historical=True),
        notes=_enrollment_notes,
        page="learning_records:enrollment",
    )
)
register(
    Kind(
        key="learning_records",
        label="Learning records",
        rows=lambda account: LearningRecord.objects.filter(user=account).select_related("course"),
        columns=(
            Column("What", _record_link),
            Column("Kind", lambda row: row.get_kind_display()),
            Column("Completed", "completed_at"),
            Column("Valid until", "expires_at"),
            Column("Score", _score),
        ),
        aside=SUPERSEDED,
        order="completed_at",
        notes=_record_notes,
    )
)
register(
    Kind(
        key="certificates",
        label="Certificates",
        rows=lambda account: Certificate.objects.filter(user=account).select_related("course"),
        columns=(
            Column("Course", "course.title"),
            Column("Number", "number"),
            Column("Score", _score),
            Column("Issued", "issued_at"),
            Column("Valid until", "expires_at"),
        ),
        aside=SUPERSEDED,
        order="issued_at",
        notes=_certificate_notes,
    )
)
register(
    Kind(
        key="certifications",
        label="Certifications",
        rows=lambda account: CertificationAward.objects.filter(user=account).select_related("certification"),
        columns=(
            Column("Certification", "certification.title"),
            Column("From", lambda row: row.get_source_display()),
            Column("Issued", "issued_at"),
            Column("Renewed", "renewed_at"),
            Column("Valid until", "expires_at"),
        ),
        aside=Q(is_active=False),
        order="issued_at",
        notes=_award_notes,
    )
)
register(
    Kind(
        key="competencies",
        label="Competencies",
        rows=lambda account: CompetencyAward.objects.filter(user=account),
        columns=(Column("Competency", "competency"), Column("Level", "level"), Column("Awarded", "awarded_at")),
        aside=SUPERSEDED,
        order="awarded_at",
        notes=_kept_aside,
    )
)
register(
    Kind(
        key="external_trainings",
        label="External training",
        rows=lambda account: ExternalTraining.objects.filter(user=account).select_related("certification"),
        columns=(
            Column("Training", "title"),
            Column("Provider", "provider"),
            Column("Completed", "completed_at"),
            Column("Certification", "certification"),
            Column("Valid until", "expires_at"),
        ),
        order=Coalesce("completed_at", "created_at"),
        notes=_expiry,
    )
)
register(
    Kind(
        key="learning_plans",
        label="Learning plans",
        rows=lambda account: LearningPlanEnrollment.objects.filter(user=account).select_related("learning_plan"),
        columns=(
            Column("Plan", "learning_plan.title"),
            Column("Status", lambda row: row.get_status_display()),
            Column("Since", "created_at"),
        ),
    )
)
