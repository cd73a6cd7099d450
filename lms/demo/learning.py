"""What one account learned: enrollments with their tracking, and all that follows from a completion."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from learning_records.models import (
    Certificate,
    CertificationAward,
    CompetencyAward,
    Enrollment,
    ExternalTraining,
    LearningPlanEnrollment,
    LearningRecord,
    MaterialTracking,
)
from lms.demo.catalog import PLANS, Awarded, Catalog, Taught
from lms.demo.sheets import Book
from lms.demo.tracking import report

BETWEEN = timedelta(days=21)  # from enrolling to completing


@dataclass(frozen=True)
class Held:
    """A course that an account is in. Days are counted back from now; an end of `None` follows the course."""

    course: str
    status: str = "completed"
    score: int | None = None
    progress: int = 100
    days_ago: int = 100
    ends_in: int | None = None
    is_historical: bool = False
    is_voided: bool = False
    has_certificate: bool = True


class Learning:
    """Adds what accounts learned to the book."""

    def __init__(self, book: Book, catalog: Catalog, chance: Random) -> None:
        self.book, self.catalog, self.chance = book, catalog, chance

    def ago(self, days: int) -> datetime:
        return self.book.now - timedelta(days=days)

    def enroll(self, user: int, held: Held) -> int:
        """The enrollment with its tracking; a completed one brings its learning record and certificate."""
        course = self.catalog.courses[held.course]
        done = held.status == "completed"
        end = self.end_of(course, held) if done else None
        last = self.ago(held.days_ago)
        enrollment = self.book.add(
            Enrollment,
            user_id=user,
            course_id=course.id,
            status=held.status,
            score=held.score,
            progress=held.progress,
            enrolled_at=last - BETWEEN,
            started_at=last - BETWEEN / 2 if held.progress else None,
            completed_at=last if done else None,
            expires_at=end,
            is_historical=held.is_historical,
            voided_at=last + timedelta(days=2) if held.is_voided else None,
            void_reason="completed by somebody else" if held.is_voided else "",
            created_at=last - BETWEEN,
        )
        if held.progress:
            self.track(enrollment, course, held)
        if done:
            self._complete(user, enrollment, course, held, end)
        return enrollment

    def end_of(self, course: Taught, held: Held) -> datetime | None:
        if held.ends_in is not None:
            return self.book.now + timedelta(days=held.ends_in)
        return self.ago(held.days_ago) + timedelta(days=course.validity_days) if course.validity_days else None

    def track(self, enrollment: int, course: Taught, held: Held) -> None:
        """A finished course took one attempt or two; the earlier one stopped short."""
        attempts = 2 if held.status == "completed" and self.chance.random() < 0.15 else 1
        for attempt in range(1, attempts + 1):
            progress = held.progress if attempt == attempts else 60
            score = held.score if attempt == attempts else None
            columns = report(course.kind, course.code, progress, score, self.chance)
            self.book.add(MaterialTracking, enrollment_id=enrollment, attempt=attempt, **columns)

    def _complete(self, user: int, enrollment: int, course: Taught, held: Held, end: datetime | None) -> None:
        at = self.ago(held.days_ago)
        self.record(
            user, "course", at, course_id=course.id, expires_at=end, score=held.score, enrollment_id=enrollment,
            voided_at=at + timedelta(days=2) if held.is_voided else None,
            void_reason="completed by somebody else" if held.is_voided else "",
        )  # fmt: skip
        if held.has_certificate and not (held.is_historical or held.is_voided):
            number = f"{course.code}-{enrollment:07d}"
            self.book.add(
                Certificate, user_id=user, course_id=course.id, number=number, score=held.score, issued_at=at,
                expires_at=end,
            )  # fmt: skip

    def record(self, user: int, kind: str, at: datetime, **columns: Any) -> int:
        """A learning record that was received the minute it was earned."""
        received = at + timedelta(minutes=1)
        return self.book.add(
            LearningRecord,
            user_id=user,
            kind=kind,
            completed_at=at,
            received_at=received,
            created_at=received,
            **columns,
        )

    def certify(self, user: int, certification: str, days_ago: int, ends_in: int | None = None) -> None:
        """A certification from a course that was completed so many days ago."""
        awarded = self.catalog.certifications[certification]
        at = self.ago(days_ago)
        end = self.book.now + timedelta(days=ends_in) if ends_in is not None else _end(awarded, at)
        self.book.add(CertificationAward, user_id=user, certification_id=awarded.id, issued_at=at, expires_at=end)

    def train(self, user: int, title: str, days_ago: int, certification: str = "", ends_in: int | None = None) -> None:
        """External training; with a certification it awards that."""
        at = self.ago(days_ago)
        end = self.book.now + timedelta(days=ends_in) if ends_in is not None else None
        awarded = self.catalog.certifications[certification].id if certification else None
        training = self.book.add(
            ExternalTraining, user_id=user, title=title, provider="Chamber of Commerce", completed_at=at,
            certification_id=awarded, expires_at=end,
        )  # fmt: skip
        if awarded:
            self.book.add(
                CertificationAward, user_id=user, certification_id=awarded, source="external",
                external_training_id=training, issued_at=at, expires_at=end,
            )  # fmt: skip

    def reach(self, user: int, competency: str, level: int, days_ago: int) -> None:
        self.book.add(CompetencyAward, user_id=user, competency=competency, level=level, awarded_at=self.ago(days_ago))

    def plan(self, user: int, title: str, held: list[Held]) -> None:
        """An account in a learning plan; its status follows from the courses of the plan."""
        states = {each.course: each.status for each in held if not each.is_historical and not each.is_voided}
        ours = [states.get(code) for code in PLANS[title]]
        status = "enrolled"
        if all(state == "completed" for state in ours):
            status = "completed"
        elif any(state in ("completed", "in_progress") for state in ours):
            status = "in_progress"
        self.book.add(LearningPlanEnrollment, user_id=user, learning_plan_id=self.catalog.plans[title], status=status)


def _end(awarded: Awarded, at: datetime) -> datetime | None:
    return at + timedelta(days=awarded.validity_days) if awarded.validity_days else None
