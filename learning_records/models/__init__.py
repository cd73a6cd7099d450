"""What people did."""

from learning_records.models.awards import (
    Certificate,
    Certification,
    CertificationAward,
    CertificationCourse,
    CompetencyAward,
    ExternalTraining,
)
from learning_records.models.courses import Course, LearningPlan, LearningPlanCourse, LearningPlanEnrollment
from learning_records.models.enrollments import Enrollment, MaterialTracking
from learning_records.models.records import EarlierValidity, LearningRecord, PendingRecord

__all__ = [
    "Certificate",
    "Certification",
    "CertificationAward",
    "CertificationCourse",
    "CompetencyAward",
    "Course",
    "EarlierValidity",
    "Enrollment",
    "ExternalTraining",
    "LearningPlan",
    "LearningPlanCourse",
    "LearningPlanEnrollment",
    "LearningRecord",
    "MaterialTracking",
    "PendingRecord",
]
