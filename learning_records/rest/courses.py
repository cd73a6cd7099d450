"""Courses and learning plans."""

from __future__ import annotations

from typing import Any

from accounts.rest import transcript
from accounts.rest.owned import CatalogueRows, ListedIds, OwnedRows
from learning_records.models import Course, LearningPlan, LearningPlanCourse, LearningPlanEnrollment
from learning_records.plan_rules import refresh_plans
from rest_contract import fields, filters
from rest_contract.serializers import StrictModel
from rest_contract.views import Row

LONGEST_VALIDITY = 36_500


class CourseSerializer(StrictModel):
    validity_days = fields.IntegerField(min_value=0, max_value=LONGEST_VALIDITY, allow_null=True, required=False)

    class Meta:
        model = Course
        fields = ["id", "title", "code", "validity_days"]


class Courses(CatalogueRows):
    """Something to learn. Without `validity_days` a completion never expires."""

    model = Course
    serializer_class = CourseSerializer
    filters = {"code": filters.by_text("code"), "search": filters.by_words("title", "code")}
    orderings = {"id": "id", "title": "title", "code": "code"}


class LearningPlanSerializer(StrictModel):
    courses = fields.IdListField(Course, required=False)

    class Meta:
        model = LearningPlan
        fields = ["id", "title", "courses"]


class LearningPlans(ListedIds, CatalogueRows):
    """Courses in their order."""

    model = LearningPlan
    serializer_class = LearningPlanSerializer
    filters = {"search": filters.by_words("title")}
    orderings = {"id": "id", "title": "title"}
    lists = {"courses": (LearningPlanCourse, "learning_plan", "course")}

    def more_columns(self, name: str, place: int) -> Row:
        return {"position": place}


class LearningPlanEnrollmentSerializer(StrictModel):
    fixed = ("user", "learning_plan")

    class Meta:
        model = LearningPlanEnrollment
        fields = ["id", "user", "learning_plan", "status"]


class LearningPlanEnrollments(OwnedRows):
    """An account in a learning plan, once."""

    model = LearningPlanEnrollment
    serializer_class = LearningPlanEnrollmentSerializer
    filters = {
        "user": filters.by_id("user"),
        "learning_plan": filters.by_id("learning_plan"),
        "status": filters.by_choice("status", LearningPlanEnrollment.Status.values),
    }

    def insert(self, rows: list[Row]) -> list[Any]:
        """Where no status is sent, it follows from the plan's courses."""
        made = super().insert(rows)
        if not any("status" in row for row in rows):
            refresh_plans(sorted({row.user_id for row in made}))
            statuses = dict(
                self.model._default_manager.filter(pk__in=[row.pk for row in made]).values_list("pk", "status")
            )
            for row in made:
                row.status = statuses[row.pk]
        return made


transcript.register("learning_plans", LearningPlanEnrollments)
