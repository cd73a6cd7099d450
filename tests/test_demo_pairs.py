"""Each prepared pair of the demo data shows what it says, and comes back exactly."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Sum
from django.utils import timezone

from accounts.models import BranchMembership, ManagerAssignment, ProfileValue, User
from commerce.models import Subscription, Transaction
from learning_records.models import (
    Certificate,
    CertificationAward,
    CompetencyAward,
    Enrollment,
    LearningPlanEnrollment,
    LearningRecord,
    MaterialTracking,
)
from linking.models import Membership
from lms.demo.load import load
from lms.demo.stage import Prepared, all_pairs
from lms.laws import verify
from merging import services
from merging.errors import MergeRefused
from merging.models import Merge
from rewards.models import BadgeAward, CoinEntry, PointEntry, RewardRequest
from tests.fingerprints import ABOUT_MERGES, analyze, fingerprint

pytestmark = pytest.mark.django_db
PAIRS = [prepared for prepared, _ in all_pairs()]
ALLOWED = [pair for pair in PAIRS if not pair.refused]


@dataclass
class Scene:
    """The demo's people, and the merges of its admin."""

    admin: User

    def question(self, source: str, destination: str, **more: Any) -> dict[str, Any]:
        ids = {"source_id": self.id(source), "destination_id": self.id(destination)}
        return {"actor": self.admin, **ids, "policy": "best_record", **more}

    def id(self, username: str) -> int:
        return int(User.objects.get(username=username).pk)

    def merge(self, source: str, destination: str, **more: Any) -> int:
        """Merge as reviewed; answers the destination's id."""
        question = self.question(source, destination, **more)
        plan = services.preview(**question)
        done = services.request_merge(**question, digest=plan.digest)
        assert (done.status, done.counts) == (Merge.Status.DONE, plan.counts())
        return int(question["destination_id"])

    def notices(self, source: str, destination: str) -> tuple[set[str], set[str]]:
        plan = services.preview(**self.question(source, destination))
        return {notice.code for notice in plan.blockers}, {notice.code for notice in plan.warnings}


@pytest.fixture
def scene() -> Scene:
    load(0, timezone.now().replace(microsecond=0))
    return Scene(User.objects.get(username="admin"))


def name_of(pair: Prepared) -> str:
    return pair.source


def current(user: int) -> dict[str, tuple[str, Any]]:
    rows = Enrollment.objects.current().filter(user=user)
    return {row.course.code: (row.status, row.score) for row in rows.select_related("course")}


@pytest.mark.covers("P.5")
@pytest.mark.parametrize("policy", ["best_record", "keep_primary"])
@pytest.mark.parametrize("pair", ALLOWED, ids=name_of)
def test_it_merges_as_reviewed_and_comes_back(scene: Scene, pair: Prepared, policy: str) -> None:
    before = fingerprint(without=ABOUT_MERGES)
    scene.merge(pair.source, pair.destination, policy=policy)
    assert fingerprint(without=ABOUT_MERGES) != before
    services.undo_merge(actor=scene.admin, merge_id=Merge.objects.get().pk, reason="only looking")
    assert fingerprint(without=ABOUT_MERGES) == before


@pytest.mark.parametrize(
    ("pair", "code"),
    list(zip([pair for pair in PAIRS if pair.refused], ["inactive_destination", "not_a_learner"], strict=True)),
)
def test_it_refuses_and_says_why(scene: Scene, pair: Prepared, code: str) -> None:
    assert code in scene.notices(pair.source, pair.destination)[0]
    with pytest.raises(MergeRefused):
        services.request_merge(**scene.question(pair.source, pair.destination))


def test_it_keeps_the_better_of_two_completed(scene: Scene) -> None:
    user = scene.merge("erin.olsson", "erin.olsson2")
    assert current(user)["QUA-101"] == ("completed", Decimal(92))
    assert Enrollment.objects.historical().get(user=user).score == 70
    certificates = Certificate.objects.filter(user=user, course__code="QUA-101")
    assert dict(certificates.values_list("score", "is_superseded")) == {Decimal(92): False, Decimal(70): True}


def test_it_puts_status_before_score(scene: Scene) -> None:
    held = current(scene.merge("tom.berger", "thomas.berger"))
    assert held == {"SAF-160": ("completed", Decimal(70)), "SAF-140": ("in_progress", None)}


def test_it_takes_tracking_along(scene: Scene) -> None:
    before = dict(MaterialTracking.objects.values_list("id", "enrollment"))
    user = scene.merge("mina.park", "mina.park-kim")
    assert dict(MaterialTracking.objects.values_list("id", "enrollment")) == before
    ours = MaterialTracking.objects.filter(enrollment__user=user).exclude(responses={})
    assert {"scorm", "xapi", "test"} <= set(ours.values_list("kind", flat=True))


def test_it_warns_when_the_better_record_ends_earlier(scene: Scene) -> None:
    assert "earlier_validity" in scene.notices("olga.novak", "olga.novakova")[1]


def test_it_warns_of_two_people(scene: Scene) -> None:
    assert "different_birth_dates" in scene.notices("david.clarke", "david.clarke2")[1]


def test_it_renews_in_the_window(scene: Scene) -> None:
    user = scene.merge("sam.okafor", "samuel.okafor")
    award = CertificationAward.objects.get(user=user, is_active=True)
    completed = Enrollment.objects.current().get(user=user).completed_at
    assert completed is not None
    assert (award.renewed_at, award.expires_at) == (completed, completed + timedelta(days=730))


def test_it_adds_a_certification_that_is_not_held(scene: Scene) -> None:
    user = scene.merge("li.wei", "wei.li")
    award = CertificationAward.objects.get(user=user)
    assert (str(award), award.issued_at) == ("Forklift licence", Enrollment.objects.get(user=user).completed_at)


def test_it_leaves_learning_plans_and_re_evaluates(scene: Scene) -> None:
    user = scene.merge("rita.mendes", "rita.mendes.silva")
    plans = LearningPlanEnrollment.objects.select_related("learning_plan")
    assert {str(plan): plan.status for plan in plans.filter(user=user)} == {"Sales academy": "in_progress"}
    assert {str(plan) for plan in plans.filter(user=scene.id("rita.mendes"))} == {"Onboarding"}


def test_it_moves_learning_plans_when_the_primary_is_kept(scene: Scene) -> None:
    user = scene.merge("rita.mendes", "rita.mendes.silva", policy="keep_primary")
    assert LearningPlanEnrollment.objects.filter(user=user).count() == 2


def test_it_ranks_a_voided_completion_low(scene: Scene) -> None:
    assert current(scene.merge("karin.lund", "karin.lund-berg"))["COM-120"] == ("completed", Decimal(50))


def test_it_skips_a_licence_that_is_not_visible(scene: Scene) -> None:
    user = scene.merge("nils.dahl", "nils.dahlberg")
    active = Subscription.objects.filter(status="active")
    assert set(active.filter(user=user).values_list("plan__name", flat=True)) == {"Language lab", "Executive library"}
    assert active.get(user=scene.id("nils.dahl")).plan.name == "Plant skills"
    assert Subscription.objects.filter(user=user, status="released").count() == 1


def test_it_keeps_the_later_certification_by_external_training(scene: Scene) -> None:
    user = scene.merge("ivan.petrov", "ivan.petroff")
    awards = CertificationAward.objects.filter(user=user).order_by("-expires_at")
    assert [award.is_active for award in awards] == [True, False]


def test_it_adds_points_and_coins_up(scene: Scene) -> None:
    def totals(*names: str) -> list[int]:
        who = [scene.id(name) for name in names]
        return [kind.objects.filter(user__in=who).aggregate(n=Sum("amount"))["n"] for kind in (PointEntry, CoinEntry)]

    before = totals("bea.costa", "beatriz.costa")
    user = scene.merge("bea.costa", "beatriz.costa")
    assert totals("beatriz.costa") == before
    assert RewardRequest.objects.get(user=user).status == "approved"
    steps = BadgeAward.objects.filter(user=user, badge__name="First steps").order_by("awarded_at")
    assert [award.is_superseded for award in steps] == [False, True]


def test_it_moves_payments_with_enrollments_alone(scene: Scene) -> None:
    choices = {"enrollments": {"merge": False}}
    user = scene.merge("jin.ito", "jin.itoh", choices=choices)
    assert Transaction.objects.filter(user=user).count() == 1
    services.undo_merge(actor=scene.admin, merge_id=Merge.objects.get().pk, reason="once more")
    scene.merge("jin.ito", "jin.itoh")
    per_currency = Transaction.objects.filter(user=user).values_list("currency").annotate(Sum("amount"))
    assert dict(per_currency) == {"JPY": Decimal(12_000), "EUR": Decimal(0), "USD": Decimal(49)}


def test_it_keeps_the_higher_competency(scene: Scene) -> None:
    user = scene.merge("eva.roux", "eva.moreau")
    held = CompetencyAward.objects.filter(user=user, is_superseded=False).values_list("competency", "level")
    assert dict(held) == {"Teamwork": 4, "Spoken English": 5, "Problem solving": 2}


def test_it_ends_a_group_of_two_that_become_one(scene: Scene) -> None:
    user = scene.merge("noor.haddad", "noor.haddad-visser")
    assert not Membership.objects.exclude(group=None).exists()
    shown = LearningRecord.objects.listed().filter(user=user)
    assert set(shown.values_list("origin", flat=True)) == {"earned"}
    assert LearningRecord.objects.filter(user=user, is_superseded=True).count() == 2


def test_it_takes_the_profile_field_by_field(scene: Scene) -> None:
    user = User.objects.get(pk=scene.merge("anna.schmidt", "anna.schmidt-weber"))
    assert (user.phone, user.job_title) == ("+49 40 555123", "Team lead")
    assert (user.username, user.email) == ("anna.schmidt-weber", "anna.schmidt-weber@lighthouse.example")
    values = dict(ProfileValue.objects.filter(user=user).values_list("field__key", "value"))
    assert values == {"cost_centre": "CC-4711", "shoe_size": "39", "shift": "Late", "first_aider": "yes"}
    branches = BranchMembership.objects.filter(user=user).values_list("branch__name", flat=True)
    assert set(branches) == {"Hamburg plant", "Munich office"}
    assert ManagerAssignment.objects.get(user=user).manager.username == "otto.lang"


def test_it_brings_the_history_of_the_rehired(scene: Scene) -> None:
    user = scene.merge("maria.lopez", "maria.lopez.garcia")
    assert current(user)["SAF-110"] == ("completed", Decimal(90))
    assert CertificationAward.objects.get(user=user).is_active


def test_it_is_open_to_the_power_user_with_rights_alone(scene: Scene) -> None:
    def may(name: str) -> bool:
        actor = User.objects.get(username=name)
        return not services.preview(**scene.question("erin.olsson", "erin.olsson2") | {"actor": actor}).blockers

    assert (may("paula.power"), may("pedro.power"), may("jane.doe")) == (True, False, False)


def test_it_keeps_every_law_when_all_are_merged(scene: Scene) -> None:
    for pair in ALLOWED:
        scene.merge(pair.source, pair.destination)
    analyze()
    assert [str(breach) for breach in verify()] == []
