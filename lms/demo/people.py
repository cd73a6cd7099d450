"""Accounts: the staff of the portal, and a crowd of learners with years of learning behind them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from random import Random
from typing import Any

from accounts.models import AssignedBranch, AssignedUser, BranchMembership, ManagerAssignment, ProfileValue, Right, User
from lms.demo.catalog import Catalog
from lms.demo.sheets import Book
from lms.demo.signins import hashed_password
from lms.demo.words import COUNTRIES, JOB_TITLES, PLACES, name_of

TEAM = 12  # the first of so many leads the others


class People:
    """Adds accounts to the book."""

    def __init__(self, book: Book, catalog: Catalog) -> None:
        self.book, self.catalog = book, catalog
        self.leader: dict[str, int] = {}

    def add(self, username: str, first: str, last: str, **columns: Any) -> int:
        """One account, a learner unless told otherwise."""
        columns.setdefault("email", f"{username}@lighthouse.example")
        columns.setdefault("password", hashed_password())
        columns.setdefault("created_at", self.book.now - timedelta(days=1200))
        return self.book.add(User, username=username, first_name=first, last_name=last, **columns)

    def place(self, user: int, *branches: str) -> None:
        for branch in branches:
            self.book.add(BranchMembership, user_id=user, branch_id=self.catalog.branches[branch])

    def manage(self, user: int, *managers: int) -> None:
        for manager in managers:
            self.book.add(ManagerAssignment, user_id=user, manager_id=manager)

    def fill(self, user: int, **values: object) -> None:
        """Custom profile fields, by key."""
        for key, value in values.items():
            self.book.add(ProfileValue, user_id=user, field_id=self.catalog.fields[key], value=value)

    def assign(self, power_user: int, users: Iterable[int] = (), branches: Iterable[str] = ()) -> None:
        for user in users:
            self.book.add(AssignedUser, power_user_id=power_user, user_id=user)
        for branch in branches:
            self.book.add(AssignedBranch, power_user_id=power_user, branch_id=self.catalog.branches[branch])

    def staff(self) -> dict[str, int]:
        """Those who run the portal, by username."""
        every, view = list(Right.values), [Right.VIEW.value]
        superadmin, power = {"role": "superadmin", "email_state": "verified"}, {"role": "power_user"}
        found = {
            "admin": self.add("admin", "Ada", "Admin", **superadmin, job_title="Learning administrator"),
            "paula.power": self.add("paula.power", "Paula", "Power", **power, rights=every, job_title="Plant trainer"),
            "pedro.power": self.add("pedro.power", "Pedro", "Power", **power, rights=view, job_title="Works council"),
        }
        for name in ("paula.power", "pedro.power"):
            self.assign(found[name], branches=["Hamburg plant"])
            self.place(found[name], "Hamburg plant")
        return found

    def learner(self, number: int, chance: Random) -> tuple[int, str]:
        """The person with that number, and where they work."""
        first, last, username = name_of(number)
        place = PLACES[number // TEAM % len(PLACES)]
        language, timezone, dial, _ = COUNTRIES[place]
        hired = self.book.now - timedelta(days=chance.randrange(60, 4000))
        user = self.add(
            username,
            first,
            last,
            status="inactive" if chance.random() < 0.05 else "active",
            employee_number=f"E{100_000 + number}",
            external_id=f"hr-{number:06d}",
            phone=f"{dial} {chance.randrange(10**6, 10**7)}",
            job_title=JOB_TITLES[chance.randrange(len(JOB_TITLES))],
            birth_date=date(1960, 1, 1) + timedelta(days=chance.randrange(16_000)),
            language=language,
            timezone=timezone,
            email_state=chance.choice(("verified", "verified", "verified", "unverified", "bounced")),
            created_at=hired,
            last_login=self.book.now - timedelta(hours=chance.randrange(9000)) if chance.random() < 0.85 else None,
        )
        self._organise(user, number, place, chance)
        self.fill(
            user,
            cost_centre=f"CC-{4000 + number % 90}",
            hired_on=hired.date(),
            shift=chance.choice(("Early", "Late", "Night", "Flexible")),
        )
        return user, place

    def _organise(self, user: int, number: int, place: str, chance: Random) -> None:
        self.place(user, place)
        if chance.random() < 0.08:
            self.place(user, "Partners")
        if number % TEAM == 0 or place not in self.leader:
            self.leader[place] = user
        else:
            self.manage(user, self.leader[place])
