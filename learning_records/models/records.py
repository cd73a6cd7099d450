"""Learning records: the evidence that a person finished something."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from learning_records.models.courses import Course
from learning_records.models.enrollments import Enrollment


class LearningRecordQuerySet(models.QuerySet["LearningRecord"]):
    def listed(self) -> LearningRecordQuerySet:
        """All but the superseded."""
        return self.filter(is_superseded=False)

    def valid(self, at: datetime | None = None) -> LearningRecordQuerySet:
        """Neither voided nor expired at that moment (now, unless told)."""
        moment = at or timezone.now()
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=moment), voided_at=None)


class LearningRecord(models.Model):
    """One completion: earned by the account, or an equivalency of a linked account's record `equivalent_of`.

    `merged_from` is the account that received it, when a merge moved it since; only that account's links yielded
    equivalencies of it. Superseded are equivalencies alone: those that a merge left without a meaning.
    """

    class Kind(models.TextChoices):
        COURSE = "course", "Course"
        PROGRAM = "program", "Program"
        ACTIVITY = "activity", "Activity"

    class Origin(models.TextChoices):
        EARNED = "earned", "Earned"
        EQUIVALENCY = "equivalency", "Equivalency"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="learning_records")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    course = models.ForeignKey(Course, models.PROTECT, null=True, blank=True, related_name="+")
    title = models.CharField(max_length=200, blank=True)
    completed_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    score = models.DecimalField(max_digits=6, decimal_places=2, null=True, blank=True)
    voided_at = models.DateTimeField(null=True, blank=True)
    void_reason = models.CharField(max_length=300, blank=True, help_text="of the last void, kept when it is restored")
    restore_reason = models.CharField(max_length=300, blank=True, db_default="", help_text="of the last restoring")
    origin = models.CharField(max_length=12, choices=Origin.choices, default=Origin.EARNED)
    equivalent_of = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="equivalencies", db_index=False
    )
    enrollment = models.OneToOneField(Enrollment, models.PROTECT, null=True, blank=True, related_name="learning_record")
    is_superseded = models.BooleanField(default=False)
    merged_from = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    received_at = models.DateTimeField(db_default=Now(), editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = LearningRecordQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["equivalent_of", "user"],
                condition=Q(equivalent_of__isnull=False, is_superseded=False),
                name="one_equivalency",
            ),
            models.CheckConstraint(
                condition=Q(origin="equivalency", equivalent_of__isnull=False)
                | Q(origin="earned", equivalent_of__isnull=True),
                name="equivalency_has_an_origin",
            ),
            models.CheckConstraint(
                condition=~Q(kind="course") | Q(course__isnull=False), name="course_record_has_a_course"
            ),
        ]
        indexes = [
            models.Index(
                fields=["user", "id"], name="earned_courses_of_user", condition=Q(origin="earned", kind="course")
            ),
            models.Index(fields=["merged_from", "id"], name="records_merged", condition=Q(merged_from__isnull=False)),
            models.Index(fields=["equivalent_of"], name="superseded_equivalencies", condition=Q(is_superseded=True)),
        ]

    def __str__(self) -> str:
        return self.title or str(self.course)


class EarlierValidity(models.Model):
    """What a record's validity was until it changed: one row per void, restore and change of expiry.

    At a moment, a record was what its first row with a later `until` says; without one, what it is now.
    """

    record = models.ForeignKey(LearningRecord, models.CASCADE, related_name="earlier_validities", db_index=False)
    voided_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    until = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["record", "until"], name="validity_at")]

    def __str__(self) -> str:
        return f"record {self.record_id} until {self.until}"


class PendingRecord(models.Model):
    """The outbox of received, voided, restored or re-dated records, for whoever owes something because of them.

    Written in the transaction of the cause, removed by the worker that has done what was owed.
    """

    record = models.ForeignKey(LearningRecord, models.CASCADE, related_name="+", db_index=False)
    at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return f"record {self.record_id}"
