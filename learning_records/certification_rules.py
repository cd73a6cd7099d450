"""Which certifications a completed course gives. The same rules for a completion and for a merge.

`decide` is pure; `award` writes for a completion. A merge turns the same decisions into rows of its plan.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from learning_records.models import Certification, CertificationAward, Enrollment


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
