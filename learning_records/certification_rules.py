"""Which certifications a completed course gives. The same rules for a completion and for a merge.

`decide` is pure; `award` writes for a completion. A merge turns the same decisions into rows of its plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from learning_records.models import Certification, CertificationAward, CertificationCourse, Enrollment


class Act(StrEnum):
    ADD = "add"
    RENEW = "renew"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Decision:
    """What to do, the validity that results (None: never ends), and why. ADD puts an active award aside first."""

    act: Act
    expires_at: datetime | None
    reason: str


def decide(certification: Certification, held: CertificationAward | None, completed_at: datetime) -> Decision:
    """What a completion at that moment does to the active award that the account holds, if any."""
    ends = end_of(certification, completed_at)
    if held is None:
        return Decision(Act.ADD, ends, "the account doesn't hold it")
    if held.expires_at is None:
        return Decision(Act.NOTHING, None, "held, and never expires")
    if completed_at > held.expires_at:
        if certification.late_renewal:
            return Decision(Act.RENEW, later(held.expires_at, ends), "expired, and may be renewed late")
        return Decision(Act.ADD, ends, "expired, and may not be renewed late")
    if completed_at >= held.expires_at - timedelta(days=certification.renewal_window_days):
        return Decision(Act.RENEW, later(held.expires_at, ends), "in its renewal window")
    return Decision(Act.NOTHING, held.expires_at, "held, and not in its renewal window")


def end_of(certification: Certification, completed_at: datetime) -> datetime | None:
    """When a certification that starts then would end; None: never."""
    if certification.validity_days is None:
        return None
    return completed_at + timedelta(days=certification.validity_days)


def later(one: datetime | None, other: datetime | None) -> datetime | None:
    """The later end of validity; None, never, is the latest."""
    return None if one is None or other is None else max(one, other)


def award(enrollment: Enrollment, completed_at: datetime) -> None:
    """Give, renew or leave alone the certifications of a course that was just completed."""
    for certification in Certification.objects.filter(courses=enrollment.course_id).order_by("id"):
        held = active_award(enrollment.user_id, certification.pk)
        decision = decide(certification, held, completed_at)
        if decision.act is Act.RENEW and held is not None:
            held.renewed_at, held.expires_at = completed_at, decision.expires_at
            held.save(update_fields=["renewed_at", "expires_at"])
        elif decision.act is Act.ADD:
            put_aside(held)
            CertificationAward.objects.create(
                user_id=enrollment.user_id,
                certification=certification,
                issued_at=completed_at,
                expires_at=decision.expires_at,
            )


def active_award(user_id: int, certification_id: int) -> CertificationAward | None:
    """The one that counts, locked: two completions must not both decide on it."""
    awards = CertificationAward.objects.select_for_update(no_key=True)
    return awards.filter(user_id=user_id, certification_id=certification_id, is_active=True).first()


def put_aside(held: CertificationAward | None) -> None:
    """Keep the award as history."""
    if held is not None:
        held.is_active = False
        held.save(update_fields=["is_active"])


def outlasts(new: datetime | None, held: datetime | None) -> bool:
    """Whether `new` ends later; None never ends. A tie keeps what is held."""
    if held is None:
        return False
    return new is None or new > held


class Ledger:
    """The active awards of many accounts, locked and read at once, decided on one after the other, stored at once."""

    def __init__(self, active: Iterable[CertificationAward]) -> None:
        self.active = {(award.user_id, award.certification_id): award for award in active}
        self.changed: dict[int, CertificationAward] = {}
        self.added: list[CertificationAward] = []

    @classmethod
    def of(cls, pairs: set[tuple[int, int]]) -> Ledger:
        """Of these accounts and certifications. Locked: two completions must not both decide on one."""
        awards = CertificationAward.objects.select_for_update(no_key=True).filter(
            user__in={user for user, _ in pairs}, certification__in={one for _, one in pairs}, is_active=True
        )
        return cls(award for award in awards.order_by("id") if (award.user_id, award.certification_id) in pairs)

    def held(self, award: CertificationAward) -> CertificationAward | None:
        """The active one of the same account and certification."""
        return self.active.get((award.user_id, award.certification_id))

    def renew(self, held: CertificationAward, completed_at: datetime, expires_at: datetime | None) -> None:
        held.renewed_at, held.expires_at = completed_at, expires_at
        self._note(held)

    def add(self, award: CertificationAward, *, wins: bool = True) -> None:
        """Add an award; when it wins, the active one is put aside."""
        award.is_active = wins
        held = self.held(award)
        if wins and held is not None:
            held.is_active = False
            self._note(held)
        if wins:
            self.active[award.user_id, award.certification_id] = award
        self.added.append(award)

    def _note(self, award: CertificationAward) -> None:
        if award.pk is not None:
            self.changed[award.pk] = award

    def store(self) -> None:
        """Those put aside first, so that the new ones find room."""
        if self.changed:
            CertificationAward.objects.bulk_update(self.changed.values(), ["renewed_at", "expires_at", "is_active"])
        CertificationAward.objects.bulk_create(self.added)


def award_many(completions: Sequence[tuple[int, int, datetime]]) -> None:
    """As `award`, for many completions (account, course, moment), in their order."""
    by_course: dict[int, list[Certification]] = {}
    courses = {course for _, course, _ in completions}
    found = CertificationCourse.objects.filter(course__in=courses).select_related("certification")
    for link in found.order_by("certification_id"):
        by_course.setdefault(link.course_id, []).append(link.certification)
    pairs = {(user, one.pk) for user, course, _ in completions for one in by_course.get(course, ())}
    if not pairs:
        return
    ledger = Ledger.of(pairs)
    for user, course, completed_at in completions:
        for certification in by_course.get(course, ()):
            _enter(ledger, user, certification, completed_at)
    ledger.store()


def _enter(ledger: Ledger, user_id: int, certification: Certification, completed_at: datetime) -> None:
    new = CertificationAward(user_id=user_id, certification=certification, issued_at=completed_at)
    held = ledger.held(new)
    decision = decide(certification, held, completed_at)
    if decision.act is Act.RENEW and held is not None:
        ledger.renew(held, completed_at, decision.expires_at)
    elif decision.act is Act.ADD:
        new.expires_at = decision.expires_at
        ledger.add(new)
