"""What people did stays when their account is deleted; what others wrote about them, and what they wrote, doesn't."""

from privacy.erasers import Blank, Redact
from privacy.registry import moments, not_personal, personal

CATALOGUE = "the organisation's catalogue"
STATE = "one of a few fixed words"

moments("learning_records")
not_personal("learning_records.Course", "title code", CATALOGUE)
not_personal("learning_records.LearningPlan", "title", CATALOGUE)
not_personal("learning_records.Certification", "title", CATALOGUE)
not_personal("learning_records.LearningPlanEnrollment", "status", STATE)
not_personal("learning_records.CertificationAward", "source", STATE)
not_personal("learning_records.Certificate", "number", "a serial number, by which anybody may check the certificate")
personal("learning_records.ExternalTraining", "title provider", erase=Redact("user"))
personal("learning_records.CompetencyAward", "competency", erase=Redact("user"))
personal("learning_records.Enrollment", "void_reason restore_reason", erase=Blank("user"))
not_personal("learning_records.Enrollment", "status", STATE)
personal("learning_records.MaterialTracking", "responses state", erase=Blank("enrollment__user"))
not_personal("learning_records.MaterialTracking", "material kind status", "the material, and how far it was taken")
personal("learning_records.LearningRecord", "title", erase=Redact("user"))
personal("learning_records.LearningRecord", "void_reason restore_reason", erase=Blank("user"))
not_personal("learning_records.LearningRecord", "kind origin", STATE)
