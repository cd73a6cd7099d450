"""What the portal accepted: each entry is a promise that is looked up in the database at the end."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Ledger:
    """Filled by all load threads. Records and imported rows are known by their moment, which no two share.

    `records`: moment to the number of rows accepted at it. `offered`: every moment that was ever sent.
    `merges`, `undone`: ids of merges. `links`: pairs of accounts in one group. `imports`: ids of confirmed files.
    `answers`: how often each status was seen; 0: no reply.
    """

    records: dict[str, int] = field(default_factory=dict)
    offered: set[str] = field(default_factory=set)
    merges: dict[int, tuple[int, int]] = field(default_factory=dict)
    undone: set[int] = field(default_factory=set)
    links: list[tuple[int, int]] = field(default_factory=list)
    imports: set[int] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)
    repeats: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _moments: int = 0

    def moments(self, number: int) -> list[str]:
        """Moments that nobody else gets: one per second from the year 2000 on."""
        with self._lock:
            first, self._moments = self._moments, self._moments + number
        found = [moment(first + each) for each in range(number)]
        self.offered.update(found)
        return found

    def count(self, status: int) -> None:
        """One reply."""
        with self._lock:
            self.answers[status] += 1

    def repeat(self) -> None:
        """One request sent again with its key."""
        with self._lock:
            self.repeats += 1

    @property
    def accepted(self) -> int:
        """How many promises there are."""
        books = (self.records, self.merges, self.undone, self.links, self.imports)
        return sum(len(book) for book in books)


def moment(number: int) -> str:
    """As REST takes it and as the database prints it in UTC."""
    days, seconds = divmod(number, 86_400)
    hours, minutes = divmod(seconds // 60, 60)
    return f"2000-01-{days + 1:02d}T{hours:02d}:{minutes:02d}:{seconds % 60:02d}Z"
