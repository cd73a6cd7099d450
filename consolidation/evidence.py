"""What speaks for keeping one account or the other, in the order in which it counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Q
from django.db.models.functions import TruncMonth

from accounts.models import User
from learning_records.models import Certificate, Enrollment, LearningPlanEnrollment, LearningRecord, MaterialTracking


@dataclass(frozen=True)
class Evidence:
    """One account as the assistant shows it. `active_months` counts the months in which it enrolled or completed."""

    account: User
    enrollments: int
    completions: int
    records: int
    last_activity: datetime | None
    active_months: int

    @property
    def email_in_words(self) -> str:
        """Whether the e-mail address reaches the person."""
        if not self.account.email:
            return "no e-mail address"
        return {"verified": "verified", "bounced": "bounced: it does not reach the person"}.get(
            self.account.email_state, "not verified yet"
        )

    @property
    def email_domain(self) -> str:
        return self.account.email.rpartition("@")[2]

    @property
    def last_used(self) -> datetime | None:
        """The last sign-in or the last learning activity, whichever came later."""
        return max(filter(None, [self.account.last_login, self.last_activity]), default=None)


@dataclass(frozen=True)
class Suggestion:
    """The account that the assistant would keep, with its reasons in words."""

    account: User
    reasons: Sequence[str]


def gather(account: User) -> Evidence:
    """Read what one account has done. Four statements, whatever its size."""
    current = Enrollment.objects.filter(user=account, is_historical=False)
    sums = current.aggregate(
        enrollments=Count("pk"),
        completions=Count("pk", filter=Q(status="completed", voided_at=None)),
        started=Max("started_at"),
        completed=Max("completed_at"),
        enrolled=Max("enrolled_at"),
    )
    records = LearningRecord.objects.filter(user=account, is_superseded=False)
    newest = records.aggregate(newest=Max("completed_at"), records=Count("pk"))
    moments = [sums["started"], sums["completed"], sums["enrolled"], newest["newest"]]
    return Evidence(
        account=account,
        enrollments=sums["enrollments"],
        completions=sums["completions"],
        records=newest["records"],
        last_activity=max(filter(None, moments), default=None),
        active_months=len(_months(current, "completed_at") | _months(current, "enrolled_at")),
    )


def _months(rows: Any, column: str) -> set[datetime]:
    dated = rows.exclude(**{column: None}).annotate(month=TruncMonth(column))
    return set(dated.values_list("month", flat=True).distinct())


def suggest(one: Evidence, other: Evidence) -> Suggestion:
    """The most comprehensive history first; where it is equal, the better address, then use; then the older account."""
    measures = list(_measures(one, other))
    decided = [words for left, right, words in measures if left != right]
    winner = one
    for left, right, _ in measures:
        if left != right:
            winner = one if left > right else other
            break
    reasons = [words for left, right, words in measures if (left > right) == (winner is one) and left != right]
    if not decided:
        reasons = ["both have the same history; this account is the older one"]
        winner = min(one, other, key=lambda side: side.account.pk)
    return Suggestion(winner.account, reasons)


def _measures(one: Evidence, other: Evidence) -> Iterator[tuple[Any, Any, str]]:
    yield one.completions, other.completions, _more("completions", one.completions, other.completions)
    yield one.enrollments, other.enrollments, _more("enrollments", one.enrollments, other.enrollments)
    yield one.records, other.records, _more("learning records", one.records, other.records)
    states = {"bounced": 0, "unverified": 1, "verified": 2}
    mail = [states.get(side.account.email_state, 1) if side.account.email else -1 for side in (one, other)]
    yield mail[0], mail[1], "its e-mail address is the better one"
    yield one.account.is_active, other.account.is_active, "it is active"
    used = [side.last_used.timestamp() if side.last_used else 0 for side in (one, other)]
    yield used[0], used[1], "it was used more recently"
    yield one.active_months, other.active_months, "it was used more regularly"


def _more(noun: str, left: int, right: int) -> str:
    return f"more {noun} ({max(left, right)} against {min(left, right)})"


def missing_enrollments(primary: User, secondary: User) -> list[Enrollment]:
    """Exactly the current enrollments of courses that the primary isn't in at all."""
    held = Enrollment.objects.filter(user=primary).values("course_id")
    rows = Enrollment.objects.filter(user=secondary, is_historical=False).exclude(course_id__in=held)
    return list(rows.select_related("course").order_by("course__title", "pk"))


def not_transferable(secondary: User) -> list[tuple[str, int]]:
    """What stays behind on the secondary because nobody can transfer it, with how much of it there is."""
    return [
        ("Topic progress", MaterialTracking.objects.filter(enrollment__user=secondary).count()),
        ("Pathway progress", LearningPlanEnrollment.objects.filter(user=secondary).count()),
        ("Certificates", Certificate.objects.filter(user=secondary, is_superseded=False).count()),
        ("Completion records", LearningRecord.objects.filter(user=secondary, is_superseded=False).count()),
    ]
