"""How many refusals of one caller are written down: a flood of them must not become a flood of entries."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

MINUTE = 60.0


class Limiter:
    """Lets the first refusals of each minute through and counts the others, which the next entry mentions.

    In one process: `each` of one caller, `most` of all together.
    """

    def __init__(self, *, each: int, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.each, self.most, self.clock = each, most, clock
        self.lock = threading.Lock()
        self.minute, self.written, self.left_out = -1, 0, 0
        self.by_caller: dict[str, int] = {}

    def passes(self, caller: str) -> int | None:
        """None when this one isn't to be written; else how many were left out since the last that was."""
        with self.lock:
            self._turn_over()
            count = self.by_caller.get(caller, 0)
            if count >= self.each or self.written >= self.most:
                self.left_out += 1
                return None
            self.by_caller[caller] = count + 1
            self.written += 1
            left_out, self.left_out = self.left_out, 0
            return left_out

    def _turn_over(self) -> None:
        minute = int(self.clock() // MINUTE)
        if minute != self.minute:
            self.minute, self.written = minute, 0
            self.by_caller.clear()
