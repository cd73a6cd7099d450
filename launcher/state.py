"""What the launcher knows of its processes, in a file that `/health/` reads.

`DATA_DIR/processes.json`: per process `state` (`running`, `restarting`), `restarts` since the portal's start, and `since`
when it is in that state. Written anew every few seconds, so that one left by a killed launcher is recognized by its age.
"""

import contextlib
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

REFRESHED_EVERY = 5  # seconds
STALE_AFTER = 20
FOUND = ("state", "restarts", "since")

States = dict[str, dict[str, Any]]


def path(data: Path) -> Path:
    """The file of this data folder."""
    return data / "processes.json"


def read(data: Path) -> States | None:
    """The states, or None: no launcher supervises this portal, or its file can't be trusted."""
    try:
        found = json.loads(path(data).read_text())
        fresh = abs(time.time() - found["written_at"]) < STALE_AFTER
        states = {name: {key: state[key] for key in FOUND} for name, state in found["processes"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return states if fresh else None


def now() -> str:
    """As in REST: ISO 8601, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


class StateFile:
    """The writing end. A disk that is full or read-only stops nothing: the file only grows old then."""

    def __init__(self, data: Path) -> None:
        self._path = path(data)
        self._written: tuple[float, States] = (0.0, {})

    def show(self, states: States) -> None:
        """Write when something changed or the file grows old; never half a file."""
        age = time.monotonic() - self._written[0]
        if states != self._written[1] or age >= REFRESHED_EVERY:
            self._written = (time.monotonic(), states)
            with contextlib.suppress(OSError):
                self._write(states)

    def remove(self) -> None:
        """The launcher ends."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)

    def _write(self, states: States) -> None:
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps({"written_at": time.time(), "processes": states}, indent=1))
        fresh.replace(self._path)
