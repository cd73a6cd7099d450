"""People, records and links for the tests of this app."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from accounts.models import User
from learning_records import services as learning
from learning_records.models import Course, LearningRecord
from learning_records.services import NewRecord
from linking import services
from linking.laws import differences
from linking.models import Link

__all__ = ["course", "differences", "earn", "equivalencies", "issue", "link", "person"]


def person(name: str, **fields: Any) -> User:
    """A learner of that username."""
    fields = {"email": f"{name}@example.org", "first_name": "Jane", "last_name": name.title(), "password": "!"} | fields
    password = fields.pop("password")
    user = User(username=name, **fields)
    if password != "!":
        user.set_password(password)
    user.save()
    return user


def course(title: str = "Safety 101", **fields: Any) -> Course:
    return Course.objects.create(title=title, **fields)


def earn(
    user: User, of: Course | None = None, *, completed_at: datetime | None = None, **fields: Any
) -> LearningRecord:
    """`user` receives a record; of a course unless told another kind."""
    fields.setdefault("kind", "course")
    if fields["kind"] == "course":
        fields["course_id"] = (of or course()).pk
    else:
        fields.setdefault("title", "Onboarding")
    entry = NewRecord(user_id=user.pk, completed_at=completed_at or timezone.now(), **fields)
    return learning.receive([entry], actor_id=None)[0]


def link(one: User, other: User, *, generate: bool = False) -> Link:
    made = services.link_accounts(caller_id=one.pk, other_id=other.pk, generate_equivalencies=generate)
    assert made.link is not None
    return made.link


def issue() -> int:
    return services.issue_owed()


def equivalencies(user: User) -> set[int]:
    """The records that this account holds equivalencies of."""
    rows = LearningRecord.objects.filter(user=user, origin="equivalency", is_superseded=False)
    return {origin for origin in rows.values_list("equivalent_of_id", flat=True) if origin is not None}
