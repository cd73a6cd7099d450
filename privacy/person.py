"""Whom an erasure is about: ids, and the values by which texts may name the person."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from django.db import connection

SHORTEST = 3  # a shorter value would be met by chance in other people's texts
REMOVED = "[removed]"


@dataclass(frozen=True)
class Person:
    """The accounts that are erased together.

    `words`: every value of their profiles; looked for in texts that belong to them. `identifiers`: the values that
    name the person alone; looked for in everybody's texts. `survivors`: accounts that live on with their data.
    """

    ids: Collection[int]
    words: frozenset[str] = field(default_factory=frozenset)
    identifiers: frozenset[str] = field(default_factory=frozenset)
    survivors: Collection[int] = ()

    @property
    def identifier_pattern(self) -> str | None:
        """A regular expression of PostgreSQL for whole identifiers, whatever their case; None without any."""
        return _pattern(self.identifiers)

    @property
    def word_pattern(self) -> str | None:
        return _pattern(self.words | self.identifiers)

    @property
    def lowered(self) -> list[str]:
        """The identifiers in lower case as PostgreSQL has it, for comparison there with whole values."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT DISTINCT lower(v) FROM unnest(%s::text[]) v ORDER BY 1", [sorted(self.identifiers)])
            return [value for (value,) in cursor.fetchall()]


def usable(values: Iterable[object]) -> frozenset[str]:
    """Those values that can be looked for."""
    texts = {str(value).strip() for value in values if value is not None}
    return frozenset(text for text in texts if len(text) >= SHORTEST)


def _pattern(values: Iterable[str]) -> str | None:
    wanted = sorted(values, key=lambda value: (-len(value), value))  # the longest first, so that no rest of it stays
    if not wanted:
        return None
    return rf"(?<!\w)(?:{'|'.join(re.escape(value) for value in wanted)})(?!\w)"
