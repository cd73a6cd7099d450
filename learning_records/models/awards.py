"""Certificates, certifications, competencies and external training."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from learning_records.models.courses import Course


class Certificate(models.Model):
    """Paper for a course, with a number that anybody may check. One per account and course is not superseded."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="certificates")
    course = models.ForeignKey(Course, models.PROTECT, related_name="+")
    number = models.CharField(max_length=60, unique=True)
    score = models.DecimalField(max_digits=6, decimal_places=2, null=True, blank=True)
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    is_superseded = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "course"], condition=Q(is_superseded=False), name="one_certificate")
        ]

    def __str__(self) -> str:
        return f"{self.course} {self.number}"


class Certification(models.Model):
    """A qualification earned by completing one of its courses. It ends after `validity_days` and may be renewed in its last `renewal_window_days`."""

    title = models.CharField(max_length=200)
    courses: models.ManyToManyField[Course, CertificationCourse] = models.ManyToManyField(
        Course, through="CertificationCourse", related_name="certifications"
    )
    validity_days = models.PositiveIntegerField(null=True, blank=True)
    renewal_window_days = models.PositiveIntegerField(default=0)
    late_renewal = models.BooleanField(default=False, help_text="an expired one may still be renewed")

    class Meta:
        ordering = ["title", "id"]

    def __str__(self) -> str:
        return self.title


class CertificationCourse(models.Model):
    certification = models.ForeignKey(Certification, models.CASCADE, related_name="+")
    course = models.ForeignKey(Course, models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["certification", "course"], name="certifies_once")]

    def __str__(self) -> str:
        return f"{self.course_id} for {self.certification_id}"


class ExternalTraining(models.Model):
    """Training taken elsewhere, entered by hand. It may award a certification."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="external_trainings")
    title = models.CharField(max_length=200)
    provider = models.CharField(max_length=200, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    certification = models.ForeignKey(Certification, models.PROTECT, null=True, blank=True, related_name="+")
    expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return self.title


class CertificationAward(models.Model):
    """An account holds a certification, from a course or from external training. At most one is active; it counts until `expires_at`."""

    class Source(models.TextChoices):
        COURSE = "course", "Course"
        EXTERNAL = "external", "External training"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="certification_awards")
    certification = models.ForeignKey(Certification, models.PROTECT, related_name="awards")
    source = models.CharField(max_length=10, choices=Source.choices, default=Source.COURSE)
    external_training = models.OneToOneField(ExternalTraining, models.PROTECT, null=True, related_name="award")
    issued_at = models.DateTimeField()
    renewed_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "certification"], condition=Q(is_active=True), name="one_active_certification"
            )
        ]

    def __str__(self) -> str:
        return str(self.certification)


class CompetencyAward(models.Model):
    """An account reached a level of a competency. One per account and competency is not superseded."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="competency_awards")
    competency = models.CharField(max_length=100)
    level = models.IntegerField()
    awarded_at = models.DateTimeField(db_default=Now())
    is_superseded = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "competency"], condition=Q(is_superseded=False), name="one_competency"
            )
        ]

    def __str__(self) -> str:
        return f"{self.competency} {self.level}"
