"""What has arrived of a request, and whether a thread may take it. gunicorn's parser alone decides what it means."""

from __future__ import annotations

import re
from enum import Enum

BUFFERED = 256 * 1024  # bytes of a body that are awaited before a thread takes the request
LONGEST_HEAD = 64 * 1024
LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,18})[ \t]*(?=\r\n)", re.IGNORECASE)
UNDECLARED = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
EXPECT = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*(?=\r\n)", re.IGNORECASE)
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
STATE = re.compile(rb"(?:GET|HEAD) /(?:health|ready)/[ ?]")
READING = re.compile(rb"(?:GET|HEAD|OPTIONS) ")


class Kind(Enum):
    """What a request may hold up: `state` nothing, for it has threads of its own; `read` any thread; the others some.

    `stream` has a body too long to be awaited, `undeclared` one of unknown length: their bodies are read in the thread.
    """

    STATE = "state"
    READ = "read"
    WRITE = "write"
    STREAM = "stream"
    UNDECLARED = "undeclared"


class Incoming:
    """The bytes of one request as they arrive.

    Only the length of the body is read here, to know how long to wait. Should it be understood otherwise than by the
    parser, the thread finds bytes missing, waits for them a short while, and refuses the request.
    """

    def __init__(self, data: bytes = b"") -> None:
        self.data = bytearray()
        self.kind: Kind | None = None  # known once the head is whole
        self._wanted = 0
        if data:
            self.feed(data)

    def feed(self, data: bytes) -> bytes:
        """Take what arrived; returns what is to be said to the client at once."""
        seen = max(0, len(self.data) - 3)
        self.data += data
        if self.kind is not None:
            return b""
        end = self.data.find(b"\r\n\r\n", seen)
        return self._judge(end) if end >= 0 else b""

    def is_too_long(self) -> bool:
        """Whether its head should have ended."""
        return self.kind is None and len(self.data) > LONGEST_HEAD

    def is_whole(self) -> bool:
        """Whether a thread may take it."""
        return self.kind is not None and (not self.is_awaited() or len(self.data) >= self._wanted)

    def is_awaited(self) -> bool:
        """Whether all of its body is awaited before a thread takes it."""
        return self.kind in (Kind.STATE, Kind.READ, Kind.WRITE)

    def is_for_rest(self) -> bool:
        """Whether a refusal should be a problem."""
        return b" /api/" in self.data[:16]

    def _judge(self, end: int) -> bytes:
        head = bytes(self.data[: end + 2])
        lengths = LENGTH.findall(head)
        length = int(lengths[-1]) if lengths else 0
        self._wanted = end + 4 + length
        if UNDECLARED.search(head):
            self.kind = Kind.UNDECLARED
        elif length > BUFFERED:
            self.kind = Kind.STREAM
        elif STATE.match(head):
            self.kind = Kind.STATE
        else:
            self.kind = Kind.READ if READING.match(head) else Kind.WRITE
        return self._continued(head) if self.is_awaited() and len(self.data) < self._wanted else b""

    def _continued(self, head: bytes) -> bytes:
        """A client that asks whether to send its body is told so here, once."""
        asked = EXPECT.search(head)
        if asked is None:
            return b""
        del self.data[asked.start() : asked.end()]
        self._wanted -= asked.end() - asked.start()
        return CONTINUE
