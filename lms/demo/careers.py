"""The years of learning of one learner in the crowd: what they took, won, spent and paid."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from random import Random

from commerce.models import Subscription, Transaction
from lms.demo.catalog import BADGES, CERTIFICATIONS, COURSES, LICENCES, PLANS, REWARDS
from lms.demo.learning import Held, Learning
from lms.demo.words import COUNTRIES
from rewards.models import BadgeAward, CoinEntry, PointEntry, RewardRequest

CODES = tuple(course[0] for course in COURSES)
COMPETENCIES = ("Teamwork", "Problem solving", "Spoken English", "Machine setup", "Customer focus")
TRAININGS = ("Crane operator course", "Trade fair seminar", "Evening class in statistics", "Welding certificate")
COINS_A_COURSE = 15
WORTH = {"INR": 85, "JPY": 150, "VND": 25_000, "MXN": 20}  # of a currency's unit to a euro, about


class Careers:
    """Adds one learner's history after the other."""

    def __init__(self, learning: Learning) -> None:
        self.learning, self.book, self.catalog = learning, learning.book, learning.catalog

    def live(self, user: int, place: str, chance: Random) -> None:
        """Everything of one learner."""
        self.learning.chance = chance
        held = [self._take(code, chance) for code in chance.sample(CODES, chance.randrange(2, 9))]
        for each in held:
            self.learning.enroll(user, each)
        self._repeat(user, held, chance)
        self._certify(user, held)
        self._beside(user, held, chance)
        done = [each for each in held if each.status == "completed"]
        self.win(user, done)
        if chance.random() < 0.3:
            self._spend(user, len(done) * COINS_A_COURSE, chance)
        self._pay(user, place, chance)

    def _take(self, code: str, chance: Random) -> Held:
        """More than half of all enrollments are completed."""
        days_ago = chance.randrange(3, 900)
        luck = chance.random()
        if luck < 0.6:
            return Held(code, "completed", chance.choice((None, *range(60, 101, 2))), 100, days_ago)
        if luck < 0.8:
            return Held(code, "in_progress", None, chance.randrange(5, 96, 5), days_ago)
        if luck < 0.95:
            return Held(code, "enrolled", None, 0, days_ago)
        return Held(code, chance.choice(("waiting", "withdrawn")), None, 0, days_ago)

    def _repeat(self, user: int, held: Sequence[Held], chance: Random) -> None:
        """Yearly courses that were taken before leave a historical enrollment; a few completions were voided."""
        done = [each for each in held if each.status == "completed"]
        for each in done:
            if chance.random() < 0.12:
                before = each.days_ago + 365
                self.learning.enroll(
                    user, Held(each.course, score=chance.randrange(60, 100), days_ago=before, is_historical=True)
                )
        if chance.random() < 0.02:
            free = [code for code in CODES if code not in {each.course for each in held}]
            self.learning.enroll(user, Held(chance.choice(free), score=55, days_ago=40, is_voided=True))

    def _certify(self, user: int, held: Sequence[Held]) -> None:
        done = {each.course: each.days_ago for each in held if each.status == "completed"}
        for title, (codes, *_) in CERTIFICATIONS.items():
            days = [done[code] for code in codes if code in done]
            if days:
                self.learning.certify(user, title, min(days))

    def _beside(self, user: int, held: list[Held], chance: Random) -> None:
        """Plans, competencies, training elsewhere, programs and activities."""
        learning = self.learning
        if chance.random() < 0.35:
            learning.plan(user, chance.choice(tuple(PLANS)), held)
        for competency in chance.sample(COMPETENCIES, chance.randrange(3)):
            learning.reach(user, competency, chance.randrange(1, 6), chance.randrange(20, 800))
        if chance.random() < 0.2:
            learning.train(user, chance.choice(TRAININGS), chance.randrange(30, 1500))
        if chance.random() < 0.15:
            at = learning.ago(chance.randrange(30, 700))
            kind, title = chance.choice(
                (("program", "Talent program"), ("activity", "Site tour"), ("activity", "Mentoring"))
            )
            learning.record(user, kind, at, title=title)

    def win(self, user: int, done: Sequence[Held]) -> None:
        """Points, coins and badges follow from completions."""
        for each in done:
            title, at = self.catalog.courses[each.course].title, self.learning.ago(each.days_ago)
            self.book.add(PointEntry, user_id=user, amount=10, reason=f"Completed {title}", occurred_at=at)
            self.book.add(CoinEntry, user_id=user, amount=COINS_A_COURSE, reason=f"Completed {title}", occurred_at=at)
        if done:
            self.badge(user, "First steps", max(each.days_ago for each in done))
        if len(done) >= 5:
            self.badge(user, "Five courses", min(each.days_ago for each in done))
        if any((each.score or 0) >= 98 for each in done):
            self.badge(user, "Top score", min(each.days_ago for each in done))

    def badge(self, user: int, name: str, days_ago: int) -> None:
        """A badge, and the points that it books."""
        at = self.learning.ago(days_ago)
        self.book.add(BadgeAward, user_id=user, badge_id=self.catalog.badges[name], awarded_at=at)
        self.book.add(PointEntry, user_id=user, amount=BADGES[name], reason=f"Badge {name}", occurred_at=at)

    def _spend(self, user: int, balance: int, chance: Random) -> None:
        """Never more coins than there are."""
        for name, price in REWARDS.items():
            if price <= balance and chance.random() < 0.5:
                self.ask_for(
                    user, name, chance.randrange(1, 300), chance.choice(("requested", "approved", "delivered"))
                )
                balance -= price

    def ask_for(self, user: int, reward: str, days_ago: int, status: str) -> None:
        """A request in the shop, and the coins that it costs."""
        at = self.learning.ago(days_ago)
        self.book.add(
            RewardRequest, user_id=user, reward_id=self.catalog.rewards[reward], status=status, requested_at=at
        )
        self.book.add(CoinEntry, user_id=user, amount=-REWARDS[reward], reason=f"Asked for {reward}", occurred_at=at)

    def _pay(self, user: int, place: str, chance: Random) -> None:
        visible = [name for name, (_, branches) in LICENCES.items() if not branches or place in branches]
        if chance.random() < 0.3:
            self.license(user, chance.choice(visible))
        if chance.random() < 0.25:
            currency = COUNTRIES[place][3]
            amount = chance.randrange(20, 400) * WORTH.get(currency, 1)
            self.pay(user, amount, currency, chance.choice(COURSES)[1], chance.randrange(700))

    def license(self, user: int, plan: str, status: str = "active") -> None:
        start = self.learning.ago(90)
        self.book.add(
            Subscription, user_id=user, plan_id=self.catalog.licences[plan], status=status, starts_at=start,
            ends_at=start + timedelta(days=365),
        )  # fmt: skip

    def pay(self, user: int, amount: int, currency: str, what: str, days_ago: int) -> None:
        """One payment, under a reference that tells it apart."""
        reference = f"ORD-{user:06d}-{days_ago:03d}-{abs(amount)}"
        self.book.add(
            Transaction, user_id=user, amount=amount, currency=currency, description=what, reference=reference,
            occurred_at=self.learning.ago(days_ago),
        )  # fmt: skip
