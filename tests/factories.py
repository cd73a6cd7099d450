"""One of everything, for tests. Each factory makes the smallest valid row; name what matters and leave the rest."""

# factory-boy is typed in part only
# mypy: disable-error-code="attr-defined, no-untyped-call, misc, var-annotated"

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import factory
from django.db.models import Model
from factory.django import DjangoModelFactory

from accounts.models import Alias, Branch, BranchMembership, ManagerAssignment, ProfileField, ProfileValue, Role, User
from commerce.models import PlanBranch, Subscription, SubscriptionPlan, Transaction
from learning_records.models import (
    Certificate,
    Certification,
    CertificationAward,
    CertificationCourse,
    CompetencyAward,
    Course,
    Enrollment,
    ExternalTraining,
    LearningPlan,
    LearningPlanCourse,
    LearningPlanEnrollment,
    LearningRecord,
    MaterialTracking,
)
from rewards.models import Badge, BadgeAward, CoinEntry, PointEntry, Reward, RewardRequest

PASSWORD = "correct horse battery staple"
Made = TypeVar("Made", bound=Model)


class Maker(DjangoModelFactory[Made]):
    """Calling a factory makes and saves a row; type checkers must be told."""

    class Meta:
        abstract = True

    if TYPE_CHECKING:

        def __new__(cls, *args: Any, **kwargs: Any) -> Made: ...


def at(year: int, month: int = 1, day: int = 1) -> datetime:
    """A moment in UTC; tests name years."""
    return datetime(year, month, day, 12, tzinfo=UTC)


class UserFactory(Maker[User]):
    """An active learner. `password="…"` lets it sign in; without one it can't."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"user{n}")
    email = factory.Sequence(lambda n: f"user{n}@example.com")
    first_name = "Jane"
    last_name = factory.Sequence(lambda n: f"Doe {n}")
    role = Role.LEARNER
    password = "!"

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **kwargs: Any) -> User:
        password = kwargs.pop("password", "!")
        user: User = super()._create(model_class, *args, password=password, **kwargs)
        if password != "!":  # hashing is slow: only where a test signs in
            user.set_password(password)
            user.save(update_fields=["password"])
        return user


class SuperadminFactory(UserFactory):
    role = Role.SUPERADMIN


class PowerUserFactory(UserFactory):
    role = Role.POWER_USER
    rights = ["users.view", "users.edit"]


class BranchFactory(Maker[Branch]):
    class Meta:
        model = Branch

    name = factory.Sequence(lambda n: f"Branch {n}")


class BranchMembershipFactory(Maker[BranchMembership]):
    class Meta:
        model = BranchMembership

    user = factory.SubFactory(UserFactory)
    branch = factory.SubFactory(BranchFactory)


class ManagerAssignmentFactory(Maker[ManagerAssignment]):
    class Meta:
        model = ManagerAssignment

    user = factory.SubFactory(UserFactory)
    manager = factory.SubFactory(UserFactory)


class ProfileFieldFactory(Maker[ProfileField]):
    class Meta:
        model = ProfileField

    key = factory.Sequence(lambda n: f"field{n}")
    label = factory.Sequence(lambda n: f"Field {n}")


class ProfileValueFactory(Maker[ProfileValue]):
    class Meta:
        model = ProfileValue

    user = factory.SubFactory(UserFactory)
    field = factory.SubFactory(ProfileFieldFactory)
    value = "value"


class AliasFactory(Maker[Alias]):
    class Meta:
        model = Alias

    user = factory.SubFactory(UserFactory)
    kind = Alias.Kind.USERNAME
    value = factory.Sequence(lambda n: f"old{n}")


class CourseFactory(Maker[Course]):
    class Meta:
        model = Course

    title = factory.Sequence(lambda n: f"Course {n}")


class LearningPlanFactory(Maker[LearningPlan]):
    """`courses=[…]` puts these courses in it, in this order."""

    class Meta:
        model = LearningPlan
        skip_postgeneration_save = True

    title = factory.Sequence(lambda n: f"Plan {n}")

    @factory.post_generation
    def courses(self: Any, create: bool, courses: Any, **kwargs: Any) -> None:
        for position, course in enumerate(courses or ()):
            LearningPlanCourse.objects.create(learning_plan=self, course=course, position=position)


class LearningPlanEnrollmentFactory(Maker[LearningPlanEnrollment]):
    class Meta:
        model = LearningPlanEnrollment

    user = factory.SubFactory(UserFactory)
    learning_plan = factory.SubFactory(LearningPlanFactory)


class EnrollmentFactory(Maker[Enrollment]):
    """Enrolled; `completed=True` makes it completed at the start of 2025, without a learning record."""

    class Meta:
        model = Enrollment

    class Params:
        completed = factory.Trait(status="completed", progress=100, completed_at=at(2025))

    user = factory.SubFactory(UserFactory)
    course = factory.SubFactory(CourseFactory)


class MaterialTrackingFactory(Maker[MaterialTracking]):
    class Meta:
        model = MaterialTracking

    enrollment = factory.SubFactory(EnrollmentFactory)
    material = factory.Sequence(lambda n: f"material-{n}")
    responses = {"q1": "b"}
    state = {"suspend_data": "page=3"}


class LearningRecordFactory(Maker[LearningRecord]):
    class Meta:
        model = LearningRecord

    user = factory.SubFactory(UserFactory)
    kind = LearningRecord.Kind.COURSE
    course = factory.SubFactory(CourseFactory)
    completed_at = at(2025)


class CertificateFactory(Maker[Certificate]):
    class Meta:
        model = Certificate

    user = factory.SubFactory(UserFactory)
    course = factory.SubFactory(CourseFactory)
    number = factory.Sequence(lambda n: f"C-{n:06}")
    issued_at = at(2025)


class CertificationFactory(Maker[Certification]):
    """`courses=[…]`: completing one of them earns it."""

    class Meta:
        model = Certification
        skip_postgeneration_save = True

    title = factory.Sequence(lambda n: f"Certification {n}")

    @factory.post_generation
    def courses(self: Any, create: bool, courses: Any, **kwargs: Any) -> None:
        for course in courses or ():
            CertificationCourse.objects.create(certification=self, course=course)


class CertificationAwardFactory(Maker[CertificationAward]):
    class Meta:
        model = CertificationAward

    user = factory.SubFactory(UserFactory)
    certification = factory.SubFactory(CertificationFactory)
    issued_at = at(2025)


class ExternalTrainingFactory(Maker[ExternalTraining]):
    class Meta:
        model = ExternalTraining

    user = factory.SubFactory(UserFactory)
    title = "Conference"
    completed_at = at(2025)


class CompetencyAwardFactory(Maker[CompetencyAward]):
    class Meta:
        model = CompetencyAward

    user = factory.SubFactory(UserFactory)
    competency = factory.Sequence(lambda n: f"competency-{n}")
    level = 1


class BadgeFactory(Maker[Badge]):
    class Meta:
        model = Badge

    name = factory.Sequence(lambda n: f"Badge {n}")


class BadgeAwardFactory(Maker[BadgeAward]):
    class Meta:
        model = BadgeAward

    user = factory.SubFactory(UserFactory)
    badge = factory.SubFactory(BadgeFactory)
    awarded_at = at(2025)


class PointEntryFactory(Maker[PointEntry]):
    class Meta:
        model = PointEntry

    user = factory.SubFactory(UserFactory)
    amount = 10


class CoinEntryFactory(Maker[CoinEntry]):
    class Meta:
        model = CoinEntry

    user = factory.SubFactory(UserFactory)
    amount = 10


class RewardFactory(Maker[Reward]):
    class Meta:
        model = Reward

    name = factory.Sequence(lambda n: f"Reward {n}")
    coins = 5


class RewardRequestFactory(Maker[RewardRequest]):
    class Meta:
        model = RewardRequest

    user = factory.SubFactory(UserFactory)
    reward = factory.SubFactory(RewardFactory)


class SubscriptionPlanFactory(Maker[SubscriptionPlan]):
    """`branches=[…]` may see it; without, everybody may."""

    class Meta:
        model = SubscriptionPlan
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"Subscription {n}")

    @factory.post_generation
    def branches(self: Any, create: bool, branches: Any, **kwargs: Any) -> None:
        for branch in branches or ():
            PlanBranch.objects.create(plan=self, branch=branch)


class SubscriptionFactory(Maker[Subscription]):
    class Meta:
        model = Subscription

    user = factory.SubFactory(UserFactory)
    plan = factory.SubFactory(SubscriptionPlanFactory)


class TransactionFactory(Maker[Transaction]):
    class Meta:
        model = Transaction

    user = factory.SubFactory(UserFactory)
    amount = "19.90"
    currency = "EUR"
