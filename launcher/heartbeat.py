"""Signs of life that a process sends by itself, in the form of systemd's watchdog.

The process finds a socket's path in NOTIFY_SOCKET and sends `WATCHDOG=1` there at least every WATCHDOG_USEC. So the
same process is watched by systemd where that supervises it (`WatchdogSec=`).
"""

import contextlib
import socket
from pathlib import Path

SIGN = b"WATCHDOG=1"


class Heartbeat:
    """The listening end of one process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(str(path))
        path.chmod(0o600)

    def environment(self, patience: float) -> dict[str, str]:
        """For the process: where to send its signs, and how long silence is borne (seconds)."""
        return {"NOTIFY_SOCKET": str(self.path), "WATCHDOG_USEC": str(int(patience * 1_000_000))}

    def heard(self) -> bool:
        """Whether a sign came since the last look."""
        found = False
        with contextlib.suppress(BlockingIOError):
            while message := self._socket.recv(4096):
                found = found or SIGN in message.split(b"\n")
        return found

    def close(self) -> None:
        """Nobody listens any more."""
        self._socket.close()
        with contextlib.suppress(OSError):
            self.path.unlink()
