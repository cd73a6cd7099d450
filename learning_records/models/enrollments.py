"""Enrollments, and what the training materials reported about them."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from learning_records.models.courses import Course


class EnrollmentQuerySet(models.QuerySet["Enrollment"]):
    def current(self) -> EnrollmentQuerySet:
        """Those that transcripts show."""
        return self.filter(is_historical=False)

    def historical(self) -> EnrollmentQuerySet:
        return self.filter(is_historical=True)


class Enrollment(models.Model):
    """An account in a course: waiting, enrolled, in progress, completed or withdrawn.

    At most one per account and course is current; the others are historical. `merged_from` is the account that it
    was first merged away from. `score` is in points of 100, `progress` in percent.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting"
        ENROLLED = "enrolled", "Enrolled"
        IN_PROGRESS = "in_progress", "In progress"
        COMPLETED = "completed", "Completed"
        WITHDRAWN = "withdrawn", "Withdrawn"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="enrollments", db_index=False)
    course = models.ForeignKey(Course, models.PROTECT, related_name="enrollments")
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.ENROLLED)
    score = models.DecimalField(max_digits=6, decimal_places=2, null=True, blank=True)
    progress = models.PositiveSmallIntegerField(default=0, validators=[MaxValueValidator(100)])
    enrolled_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    is_historical = models.BooleanField(default=False)
    voided_at = models.DateTimeField(null=True, blank=True)
    void_reason = models.CharField(max_length=300, blank=True, help_text="of the last void, kept when it is restored")
    restore_reason = models.CharField(max_length=300, blank=True, db_default="", help_text="of the last restoring")
    completion_set_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    completion_set_at = models.DateTimeField(null=True, blank=True)
    merged_from = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = EnrollmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "course"], condition=Q(is_historical=False), name="one_current_enrollment"
            ),
            models.CheckConstraint(condition=Q(progress__lte=100), name="progress_in_percent"),
            models.CheckConstraint(
                condition=~Q(status="completed") | Q(completed_at__isnull=False), name="completed_has_a_date"
            ),
        ]
        indexes = [models.Index(fields=["user", "is_historical"], name="enrollments_of_user")]

    def __str__(self) -> str:
        return str(self.course)


class MaterialTracking(models.Model):
    """What one training material reported for one enrollment and attempt: SCORM or xAPI state and responses."""

    class Kind(models.TextChoices):
        SCORM = "scorm", "SCORM"
        XAPI = "xapi", "xAPI"
        VIDEO = "video", "Video"
        TEST = "test", "Test"

    enrollment = models.ForeignKey(Enrollment, models.PROTECT, related_name="tracking", db_index=False)
    material = models.CharField(max_length=200)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.SCORM)
    status = models.CharField(max_length=30, blank=True)
    score = models.DecimalField(max_digits=6, decimal_places=2, null=True, blank=True)
    attempt = models.PositiveIntegerField(default=1)
    responses = models.JSONField(default=dict, blank=True)
    state = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["enrollment", "material", "attempt"], name="one_tracking_per_attempt")
        ]

    def __str__(self) -> str:
        return f"{self.material} ({self.attempt})"
