"""Courses, and learning plans that string them together."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class Course(models.Model):
    """Something to learn. A completion is valid for `validity_days`, for ever when empty."""

    title = models.CharField(max_length=200)
    code = models.CharField(max_length=50, blank=True)
    validity_days = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["title", "id"]

    def __str__(self) -> str:
        return self.title


class LearningPlan(models.Model):
    title = models.CharField(max_length=200)
    courses: "models.ManyToManyField[Course, LearningPlanCourse]" = models.ManyToManyField(
        Course, through="LearningPlanCourse", related_name="learning_plans"
    )

    class Meta:
        ordering = ["title", "id"]

    def __str__(self) -> str:
        return self.title


class LearningPlanCourse(models.Model):
    """A course in a plan, in its place."""

    learning_plan = models.ForeignKey(LearningPlan, models.CASCADE, related_name="steps")
    course = models.ForeignKey(Course, models.PROTECT, related_name="+")
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["learning_plan", "course"], name="course_once_in_plan")]

    def __str__(self) -> str:
        return str(self.course)


class LearningPlanEnrollment(models.Model):
    """An account in a learning plan. `status` follows from the plan's courses."""

    class Status(models.TextChoices):
        ENROLLED = "enrolled", "Enrolled"
        IN_PROGRESS = "in_progress", "In progress"
        COMPLETED = "completed", "Completed"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="learning_plan_enrollments")
    learning_plan = models.ForeignKey(LearningPlan, models.PROTECT, related_name="enrollments")
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.ENROLLED)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "learning_plan"], name="once_in_a_plan")]

    def __str__(self) -> str:
        return str(self.learning_plan)
