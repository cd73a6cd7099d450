"""The socket of a client: what a thread reads from it is bounded in time, and what it writes doesn't wait for the client."""

from __future__ import annotations

import errno
import select
import socket
import time
from typing import Any

BLOCK = 64 * 1024


class ClientSocket(socket.socket):
    """Answers are kept here until the client takes them; a thread waits only while more than `keep` bytes are kept."""

    patience = 10.0  # seconds that a thread waits for the client to read or send anything
    longest = 300.0  # seconds that a thread spends on one request's reading and writing
    keep = 2 * 1024 * 1024

    def __init__(self, accepted: socket.socket) -> None:
        super().__init__(fileno=accepted.detach())
        self.unsent = bytearray()
        self.deadline = 0.0
        self.settimeout(0)

    def give_to_thread(self) -> None:
        """From now on calls may wait, and all together for so long."""
        self.deadline = time.monotonic() + self.longest
        self.settimeout(self.patience)

    def setblocking(self, flag: bool) -> None:
        """gunicorn's threads ask for a socket that waits for ever."""
        self.settimeout(self.patience if flag else 0)

    def recv(self, size: int, flags: int = 0) -> bytes:
        if not self.gettimeout():
            return super().recv(size, flags)
        try:
            self.settimeout(self._time_left())
            return super().recv(size, flags)
        except TimeoutError as error:
            raise _gone() from error

    def sendall(self, data: Any, flags: int = 0) -> None:
        self.unsent += data
        self.flush()
        while len(self.unsent) > self.keep:
            self._wait_for_reader()
            self.flush()

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        """As any other answer: the system's own way would wait for the client."""
        file.seek(offset)
        sent = 0
        while block := file.read(BLOCK if count is None else min(BLOCK, count - sent)):
            self.sendall(block)
            sent += len(block)
        return sent

    def flush(self) -> None:
        """Send what the client takes now. Raises OSError when it has gone."""
        before = self.gettimeout()
        self.settimeout(0)
        try:
            while self.unsent:
                with memoryview(self.unsent) as view:
                    sent = self.send(view[:BLOCK])
                del self.unsent[:sent]
        except BlockingIOError:
            pass
        finally:
            self.settimeout(before)

    def has_gone(self) -> bool:
        """Whether the client hung up while it waited."""
        try:
            return not super().recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def _time_left(self) -> float:
        left = min(self.patience, self.deadline - time.monotonic())
        if left <= 0:
            raise _gone()
        return left

    def _wait_for_reader(self) -> None:
        poll = select.poll()
        poll.register(self, select.POLLOUT)
        if not poll.poll(self._time_left() * 1000):
            raise _gone()


def _gone() -> ConnectionResetError:
    """A client that is too slow is treated as one that hung up: nothing to log."""
    return ConnectionResetError(errno.ECONNRESET, "the client took too long")
