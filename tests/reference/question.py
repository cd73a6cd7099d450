"""What the reference model is asked, and the shape of its data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]
World = dict[str, list[Row]]


@dataclass
class Question:
    """Who, by which policy, and what the person chose."""

    source: int
    destination: int
    policy: str
    merge_profile: bool = True
    merge_enrollments: bool = True
    fields: dict[str, str] = field(default_factory=dict)
    courses: dict[int, str] = field(default_factory=dict)

    @property
    def best_record(self) -> bool:
        return self.policy == "best_record"

    def choices(self) -> dict[str, Any] | None:
        """The same as a door would send it; the other policy has no choices."""
        if not self.best_record:
            return None
        courses = {str(course): side for course, side in self.courses.items()}
        return {
            "profile": {"merge": self.merge_profile, "fields": self.fields},
            "enrollments": {"merge": self.merge_enrollments, "courses": courses},
        }


def of_account(rows: Iterable[Row], account: int) -> list[Row]:
    return [row for row in rows if row["user_id"] == account]
