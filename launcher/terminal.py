"""What the person at the terminal reads: the portal's own lines and those of its processes."""

import contextlib
import queue
import sys
import threading
from typing import IO, TextIO

MANY = 10_000  # lines that wait for a slow terminal; what comes beyond is dropped and counted


class Terminal:
    """Whole lines in the order they came. Writing never waits: a stopped terminal must not stop the portal."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._lines: queue.Queue[str | None] = queue.Queue(MANY)
        self._dropped = 0
        self._writer = threading.Thread(target=self._write_all, name="terminal", daemon=True)
        self._writer.start()

    def say(self, what: str) -> None:
        """One event of the portal."""
        self.line(f"» {what}")

    def line(self, text: str) -> None:
        """One line, or several."""
        try:
            self._lines.put_nowait(text)
        except queue.Full:
            self._dropped += 1

    def follow(self, name: str, output: IO[bytes]) -> None:
        """Show each line of a process behind its name, until its output ends."""
        threading.Thread(target=self._copy, args=(name, output), name=f"output of {name}", daemon=True).start()

    def close(self) -> None:
        """Write what waits, for two seconds at most."""
        with contextlib.suppress(queue.Full):
            self._lines.put(None, timeout=1)
        self._writer.join(timeout=2)

    def _copy(self, name: str, output: IO[bytes]) -> None:
        with output:
            for line in output:
                self.line(f"{name:<6} | {line.decode(errors='replace').rstrip()}")

    def _write_all(self) -> None:
        while (text := self._lines.get()) is not None:
            if self._dropped:
                text, self._dropped = f"» {self._dropped} lines were dropped\n{text}", 0
            with contextlib.suppress(OSError, ValueError):  # the terminal is gone; the portal isn't
                self._stream.write(f"{text}\n")
                self._stream.flush()
