"""What a merge does to what people did."""

from django.db.models import F, Q

from learning_records.models import (
    Certificate,
    CertificationAward,
    CompetencyAward,
    Enrollment,
    ExternalTraining,
    LearningPlanEnrollment,
    LearningRecord,
)
from merging.handlers import Claim, MergeHandler, TwinHandler, exempt, register

exempt("learning_records.Enrollment", "merged_from", "it tells where the enrollment came from, for good")
exempt("learning_records.LearningRecord", "merged_from", "it tells who received the record, for good")
exempt("learning_records.Enrollment", "completion_set_by", "who set it stays who it was")


@register
class EnrollmentHandler(TwinHandler):
    key = section = "enrollments"
    claims = (Claim(Enrollment, "user"),)
    things = ("course",)
    live = Q(is_historical=False)
    loses = {"is_historical": True}
    order = (F("score").desc(nulls_last=True),)


for _key, _model in (
    ("learning_records", LearningRecord),
    ("certificates", Certificate),
    ("certifications", CertificationAward),
    ("competencies", CompetencyAward),
    ("external_trainings", ExternalTraining),
    ("learning_plans", LearningPlanEnrollment),
):
    register(type(_key, (MergeHandler,), {"key": _key, "section": _key, "claims": (Claim(_model, "user"),)}))
