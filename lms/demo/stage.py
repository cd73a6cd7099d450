"""What the prepared pairs are built with: one place to add people and whatever they hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any

from lms.demo.careers import Careers
from lms.demo.catalog import Catalog
from lms.demo.learning import Learning
from lms.demo.people import People
from lms.demo.sheets import Book


@dataclass(frozen=True)
class Prepared:
    """A pair as the demo names it: who would be merged into whom, and what that shows. `refused`: no merge follows."""

    source: str
    destination: str
    rule: str
    expect: str
    refused: bool = False


class Stage:
    """The book and those who fill it."""

    def __init__(self, book: Book, catalog: Catalog, people: People) -> None:
        self.book, self.people = book, people
        self.learning = Learning(book, catalog, Random(1))  # noqa: S311 - believable, not secret
        self.careers = Careers(self.learning)
        self.ids: dict[str, int] = {}

    def person(self, username: str, name: str, branch: str = "Hamburg plant", **columns: Any) -> int:
        """An account of a pair, with the columns that make two accounts look alike."""
        first, _, last = name.partition(" ")
        columns.setdefault("birth_date", date(1985, 4, 12))
        columns.setdefault("language", "en")
        columns.setdefault("email_state", "verified")
        columns.setdefault("last_login", self.learning.ago(len(self.ids) % 30 + 1))
        self.ids[username] = self.people.add(username, first, last, **columns)
        self.people.place(self.ids[username], branch)
        return self.ids[username]

    def two(self, source: str, destination: str, name: str, **columns: Any) -> tuple[int, int]:
        """Two accounts of one person that differ in little."""
        return self.person(source, name, **columns), self.person(destination, name, **columns)


Build = Callable[[Stage], None]
_pairs: list[tuple[Prepared, Build]] = []


def pair(source: str, destination: str, rule: str, expect: str, refused: bool = False) -> Callable[[Build], Build]:
    """Decorator: this function builds that pair."""

    def keep(build: Build) -> Build:
        _pairs.append((Prepared(source, destination, rule, expect, refused), build))
        return build

    return keep


def all_pairs() -> list[tuple[Prepared, Build]]:
    """In the order in which they are written."""
    from lms.demo import pairs_of_accounts, pairs_of_courses, pairs_of_things  # noqa: F401 - they register themselves

    return list(_pairs)
