"""What a merge does to what people did: one module per kind."""

from learning_records.merge.awards import CertificateHandler, CompetencyHandler, ExternalTrainingHandler
from learning_records.merge.certifications import CertificationHandler
from learning_records.merge.enrollments import EnrollmentHandler
from learning_records.merge.plans import LearningPlanHandler
from learning_records.merge.records import LearningRecordHandler

__all__ = [
    "CertificateHandler",
    "CertificationHandler",
    "CompetencyHandler",
    "EnrollmentHandler",
    "ExternalTrainingHandler",
    "LearningPlanHandler",
    "LearningRecordHandler",
]
