"""The root of REST, version 1: every resource and its address."""

from django.urls import include, path, re_path
from rest_framework.routers import SimpleRouter

from accounts.rest.audit import AuditEntries
from accounts.rest.organisation import Branches, ProfileFields
from accounts.rest.users import Users
from commerce.rest import SubscriptionPlans, Subscriptions, Transactions
from integrations.rest import Webhooks
from learning_records.rest.awards import (
    Certificates,
    CertificationAwards,
    Certifications,
    CompetencyAwards,
    ExternalTrainings,
)
from learning_records.rest.courses import Courses, LearningPlanEnrollments, LearningPlans
from learning_records.rest.enrollments import Enrollments, Tracking
from learning_records.rest.records import LearningRecords
from linking.rest import LinkGroups, Links
from merging.rest import Merges
from rest_contract.documents import Docs, Schema
from rest_contract.views import UnknownAddress
from rewards.rest import BadgeAwards, Badges, CoinEntries, PointEntries, RewardRequests, Rewards

RESOURCES = {
    "users": Users,
    "profile-fields": ProfileFields,
    "branches": Branches,
    "courses": Courses,
    "learning-plans": LearningPlans,
    "learning-plan-enrollments": LearningPlanEnrollments,
    "enrollments": Enrollments,
    "material-tracking": Tracking,
    "certificates": Certificates,
    "certifications": Certifications,
    "certification-awards": CertificationAwards,
    "competency-awards": CompetencyAwards,
    "external-trainings": ExternalTrainings,
    "learning-records": LearningRecords,
    "badges": Badges,
    "badge-awards": BadgeAwards,
    "point-entries": PointEntries,
    "coin-entries": CoinEntries,
    "rewards": Rewards,
    "reward-requests": RewardRequests,
    "subscription-plans": SubscriptionPlans,
    "subscriptions": Subscriptions,
    "transactions": Transactions,
    "link-groups": LinkGroups,
    "links": Links,
    "merges": Merges,
    "webhooks": Webhooks,
    "audit-entries": AuditEntries,
}

router = SimpleRouter()
for name, view in RESOURCES.items():
    router.register(name, view, basename=name)

urlpatterns = [
    path("v1/schema/", Schema.as_view(), name="api-schema"),
    path("v1/docs/", Docs.as_view(url_name="api-schema"), name="api-docs"),
    path("v1/", include(router.urls)),
    re_path("", UnknownAddress.as_view()),
]
