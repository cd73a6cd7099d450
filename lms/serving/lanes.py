"""Which request gets a thread next, so that no kind of request can take all of them."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar

from lms.serving.incoming import Kind


class Waiting(Protocol):
    """A request with its kind."""

    kind: Kind


T = TypeVar("T", bound=Waiting)


class Lanes(Generic[T]):
    """At most three quarters of the threads carry out anything but reads, whatever stands in a write's way.

    Of these, bodies that are read in the thread hold a quarter, those of unknown length an eighth. Each at least one.
    """

    def __init__(self, threads: int) -> None:
        self.limits = {
            Kind.READ: threads,
            Kind.WRITE: max(1, threads * 3 // 4),
            Kind.STREAM: max(1, threads // 4),
            Kind.UNDECLARED: max(1, threads // 8),
        }
        self.running: Counter[Kind] = Counter()
        self.waiting: deque[T] = deque()

    def put(self, request: T) -> None:
        self.waiting.append(request)

    def next(self) -> Iterator[T]:
        """Those that may start now, first come first served among those for whom there is room."""
        for request in list(self.waiting):
            if self._has_room(request.kind):
                self.waiting.remove(request)
                self.running[request.kind] += 1
                yield request

    def done(self, kind: Kind) -> None:
        self.running[kind] -= 1

    def _has_room(self, kind: Kind) -> bool:
        if self.running.total() >= self.limits[Kind.READ] or self.running[kind] >= self.limits[kind]:
            return False
        others = self.running.total() - self.running[Kind.READ]
        return kind is Kind.READ or others < self.limits[Kind.WRITE]
