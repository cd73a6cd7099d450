"""Keeps the portal's processes running until somebody stops the portal."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from launcher.kept import Kept
from launcher.state import StateFile, States

TICK = 0.1  # seconds
ENDS_WITHIN = 12.0  # seconds from the request to end to the kill; the web ends open requests within 10


class Supervisor:
    """Looks after each in turn, and writes down how they are.

    Runs in the main thread: the processes' death signal comes when the thread that started them ends.
    """

    def __init__(self, kept: Sequence[Kept], data: Path, others: Callable[[], States] = dict) -> None:
        self._kept, self._others = kept, others
        self._file = StateFile(data)

    def look(self) -> None:
        """Once over all of them."""
        for each in self._kept:
            each.look()
        self._file.show({each.name: each.status() for each in self._kept} | self._others())

    def run(self) -> None:
        """Until an exception, as a signal raises it, ends this."""
        while True:
            self.look()
            time.sleep(TICK)

    def stop(self) -> None:
        """End all of them, politely first. One that waits to be started again isn't."""
        running = [each.child for each in self._kept if each.child]
        for child in running:
            child.ask_to_end()
        deadline = time.monotonic() + ENDS_WITHIN
        while time.monotonic() < deadline and not all(child.has_ended() for child in running):
            time.sleep(0.02)
        for child in running:
            child.kill()
            child.clear()
        self._file.remove()
