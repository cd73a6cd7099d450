"""Random pairs of accounts: what Hypothesis draws, and how it becomes rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from accounts.models import Alias, Branch, BranchMembership, ProfileField, ProfileValue, User
from commerce.models import Subscription, SubscriptionPlan, Transaction
from learning_records.models import (
    Certificate,
    Certification,
    CertificationAward,
    CompetencyAward,
    Course,
    Enrollment,
    ExternalTraining,
    LearningPlan,
    LearningPlanEnrollment,
    LearningRecord,
    MaterialTracking,
)
from rewards.models import Badge, BadgeAward, CoinEntry, PointEntry, Reward, RewardRequest
from tests import factories
from tests.factories import at
from tests.merging_cases import link_up

MOMENTS = [at(2024), at(2024, 11), at(2025), at(2025, 6), at(2026)]
Spec = dict[str, Any]


@dataclass
class Catalogue:
    """What can be learned, won, bought and belonged to; and a third person."""

    actor: User
    people: list[User]
    courses: list[Course]
    plans: list[LearningPlan]
    certifications: list[Certification]
    badges: list[Badge]
    reward: Reward
    licences: list[SubscriptionPlan]
    branches: list[Branch]
    fields: list[ProfileField]

    @classmethod
    def make(cls) -> Catalogue:
        courses = factories.CourseFactory.create_batch(3)
        top, other = factories.BranchFactory.create_batch(2)
        branches = [top, other, factories.BranchFactory.create(parent=top)]
        certify = factories.CertificationFactory.create
        return cls(
            actor=factories.SuperadminFactory.create(),
            people=factories.UserFactory.create_batch(3),
            courses=courses,
            plans=[factories.LearningPlanFactory.create(courses=some) for some in (courses, courses[:1], [])],
            certifications=[
                certify(courses=courses[:2], validity_days=365, renewal_window_days=60),
                certify(courses=courses[1:], validity_days=100, renewal_window_days=400, late_renewal=True),
                certify(courses=courses[:1]),
            ],
            badges=factories.BadgeFactory.create_batch(2),
            reward=factories.RewardFactory.create(),
            licences=[factories.SubscriptionPlanFactory.create(branches=some) for some in ([], [top], [other])],
            branches=branches,
            fields=factories.ProfileFieldFactory.create_batch(2),
        )


def which(count: int) -> st.SearchStrategy[int]:
    return st.integers(0, count - 1)


moments = st.sampled_from(MOMENTS)
maybe = st.one_of(st.none(), moments)
owners = which(2)
scores = st.sampled_from([None, 0, 50, 90])


def rows(limit: int = 3, **columns: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Spec]]:
    """Rows of either account. Most have a twin: the same on the other account, but for a column or two, mostly one."""
    one, two = (st.lists(st.sampled_from(sorted(columns)), max_size=most) for most in (1, 2))
    differences = st.one_of(one, two).flatmap(
        lambda names: st.fixed_dictionaries({name: columns[name] for name in names})
    )
    row = st.fixed_dictionaries({"user": owners, **columns, "twin": st.one_of(st.none(), differences, differences)})
    return st.lists(row, max_size=limit).map(_with_twins)


def _with_twins(drawn: list[Spec]) -> list[Spec]:
    found = []
    for spec in drawn:
        plain = {name: value for name, value in spec.items() if name != "twin"}
        found.append(plain)
        if spec["twin"] is not None:
            found.append({**plain, "user": 1 - plain["user"], **spec["twin"]})
    return found


scenes = st.fixed_dictionaries(
    {
        "enrollments": rows(
            4,
            course=which(3),
            status=st.sampled_from(Enrollment.Status.values),
            score=scores,
            progress=st.sampled_from([0, 40]),
            expires_at=maybe,
            completed_at=moments,
            voided_at=st.sampled_from([None, None, None, MOMENTS[2]]),
            is_historical=st.sampled_from([False, False, False, True]),
            merged_from=st.sampled_from([None, None, 2]),
            tracked=st.booleans(),
        ),
        "certificates": rows(
            course=which(2),
            score=scores,
            issued_at=moments,
            expires_at=maybe,
            is_superseded=st.sampled_from([False, False, False, True]),
        ),
        "awards": rows(
            4,
            certification=which(3),
            external=st.booleans(),
            issued_at=moments,
            expires_at=maybe,
            is_active=st.sampled_from([True, True, True, False]),
        ),
        "competencies": rows(
            competency=st.sampled_from("ab"), level=which(3), is_superseded=st.sampled_from([False, False, False, True])
        ),
        "badges": rows(badge=which(2), awarded_at=moments, is_superseded=st.sampled_from([False, False, False, True])),
        "records": st.lists(st.fixed_dictionaries({"user": which(3), "course": which(2)}), max_size=4),
        "linked": st.sampled_from([(), (0, 1, 2), (0, 2), (1, 2), (0, 1)]),
        "plans": rows(learning_plan=which(3), status=st.sampled_from(LearningPlanEnrollment.Status.values)),
        "points": rows(amount=st.sampled_from([5, 30, -4])),
        "coins": rows(amount=st.sampled_from([5, 30, -4])),
        "requests": rows(2, status=st.sampled_from(RewardRequest.Status.values)),
        "licences": rows(4, plan=which(3), status=st.sampled_from(["active", "released"]), ends_at=maybe),
        "transactions": rows(2, amount=st.sampled_from([-3, 10]), currency=st.sampled_from(["EUR", "USD"])),
        "memberships": rows(4, branch=which(3)),
        "values": rows(3, field=which(2), value=st.sampled_from("xy")),
        "aliases": rows(3, kind=st.sampled_from(["username", "email"]), value=st.sampled_from(["old", "Old", "user"])),
        "profiles": st.lists(
            st.fixed_dictionaries(
                {
                    "first_name": st.sampled_from(["Ann", "Bo"]),
                    "phone": st.sampled_from(["", "1", "2"]),
                    "employee_number": st.sampled_from(["", "e1", "e2"]),
                    "external_id": st.sampled_from(["", "x"]),
                    "birth_date": st.one_of(st.none(), st.just(MOMENTS[0].date())),
                }
            ),
            min_size=2,
            max_size=2,
        ),
    }
)


def build(scene: dict[str, Any], there: Catalogue) -> None:
    """Make the rows; what the database forbids to have twice is kept once, or as history."""
    for spec, person in zip(scene["profiles"], there.people, strict=False):
        User.objects.filter(pk=person.pk).update(**spec)
    _enrollments(scene["enrollments"], there)
    _awards(scene["awards"], there)
    _records(scene["records"], scene["linked"], there)
    for model, specs in _simple(scene, there):
        model.objects.bulk_create([model(**spec) for spec in specs])


def _simple(scene: dict[str, list[Spec]], there: Catalogue) -> Iterator[tuple[Any, list[Spec]]]:
    def of(kind: str, **lists: list[Any]) -> list[Spec]:
        return [_resolved(spec, there, **lists) for spec in scene[kind]]

    counting = {"is_superseded": False}
    set_aside = {"is_superseded": True}
    certificates = _once(of("certificates", course=there.courses), ("user", "course"), counting, set_aside)
    yield Certificate, [{**spec, "number": f"N{number}"} for number, spec in enumerate(certificates)]
    yield CompetencyAward, _once(of("competencies"), ("user", "competency"), counting, set_aside)
    yield BadgeAward, _once(of("badges", badge=there.badges), ("user", "badge"), counting, set_aside)
    yield LearningPlanEnrollment, _distinct(of("plans", learning_plan=there.plans), "user", "learning_plan")
    yield PointEntry, _solvent(of("points"))
    yield CoinEntry, _solvent(of("coins"))
    yield RewardRequest, [{**spec, "reward": there.reward} for spec in of("requests")]
    licences = of("licences", plan=there.licences)
    yield Subscription, _once(licences, ("user", "plan"), {"status": "active"}, {"status": "released"})
    yield Transaction, of("transactions")
    yield BranchMembership, _distinct(of("memberships", branch=there.branches), "user", "branch")
    yield ProfileValue, _distinct(of("values", field=there.fields), "user", "field")
    aliases = {(s["user"].pk, s["kind"], s["value"].lower()): s for s in of("aliases")}
    yield Alias, list(aliases.values())


def _resolved(spec: Spec, there: Catalogue, **lists: list[Any]) -> Spec:
    """Numbers become the people and things that they stand for."""
    found = {**spec, "user": there.people[spec["user"]]}
    return found | {name: things[spec[name]] for name, things in lists.items()}


def _once(specs: list[Spec], thing: tuple[str, ...], counting: Spec, set_aside: Spec) -> list[Spec]:
    """One counting row per thing; more are set aside."""
    seen: set[Any] = set()
    found = []
    for spec in specs:
        key = tuple(spec[name] for name in thing)
        counts = counting.items() <= spec.items()
        found.append({**spec, **set_aside} if counts and key in seen else spec)
        seen |= {key} if counts else set()
    return found


def _distinct(specs: list[Spec], *names: str) -> list[Spec]:
    return list({tuple(spec[name] for name in names): spec for spec in specs}.values())


def _solvent(specs: list[Spec]) -> list[Spec]:
    """No balance starts below zero."""
    owing = {spec["user"] for spec in specs if spec["amount"] < 0}
    return [*specs, *({"user": user, "amount": 12} for user in sorted(owing, key=lambda user: user.pk))]


def _enrollments(specs: list[Spec], there: Catalogue) -> None:
    resolved = [_resolved(spec, there, course=there.courses) for spec in specs]
    current, historical = {"is_historical": False}, {"is_historical": True}
    made = []
    for spec in _once(resolved, ("user", "course"), current, historical):
        tracked, brought_from = spec.pop("tracked"), spec.pop("merged_from")
        if spec["status"] != "completed":
            spec["completed_at"] = None
        row = Enrollment(**spec, merged_from=None if brought_from is None else there.people[brought_from])
        made.append((row, tracked))
    Enrollment.objects.bulk_create([row for row, _ in made])
    MaterialTracking.objects.bulk_create(
        [MaterialTracking(enrollment=row, material="m") for row, tracked in made if tracked]
    )


def _awards(specs: list[Spec], there: Catalogue) -> None:
    resolved = [_resolved(spec, there, certification=there.certifications) for spec in specs]
    awards, trainings = [], []
    for spec in _once(resolved, ("user", "certification"), {"is_active": True}, {"is_active": False}):
        training = None
        if spec.pop("external"):
            training = ExternalTraining(user=spec["user"], title="elsewhere", certification=spec["certification"])
            trainings.append(training)
        awards.append(
            CertificationAward(**spec, external_training=training, source="external" if training else "course")
        )
    ExternalTraining.objects.bulk_create(trainings)
    CertificationAward.objects.bulk_create(awards)


def _records(specs: list[Spec], linked: tuple[int, ...], there: Catalogue) -> None:
    """Earned records, and the equivalencies that are owed of them to whoever is linked."""
    earned = [
        LearningRecord(**_resolved(spec, there, course=there.courses), kind="course", completed_at=MOMENTS[0])
        for spec in specs
    ]
    LearningRecord.objects.bulk_create(earned)
    group = [there.people[number] for number in linked]
    if group:
        link_up(*group)
    LearningRecord.objects.bulk_create(
        _equivalency(record, person)
        for record in earned
        for person in group
        if record.user in group and record.user != person
    )


def _equivalency(record: LearningRecord, person: User) -> LearningRecord:
    return LearningRecord(
        user=person,
        kind="course",
        course=record.course,
        completed_at=record.completed_at,
        origin="equivalency",
        equivalent_of=record,
    )
