"""Receivers on this machine: real servers that keep what they get, or behave badly."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

Received = list[tuple[dict[str, str], bytes]]


class Outside(HTTPServer):
    """A receiver that keeps what it gets and answers with `answer`."""

    request_queue_size = 50

    received: Received
    answer = 200


class Handler(BaseHTTPRequestHandler):
    server: Outside

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((dict(self.headers.items()), body))
        self.send_response(self.server.answer)
        if self.server.answer == 302:
            self.send_header("Location", "http://127.0.0.1:1/")
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Silence."""


@contextmanager
def receiver() -> Iterator[Outside]:
    """One that answers with 200 until told otherwise."""
    server = Outside(("127.0.0.1", 0), Handler)
    server.received = []
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@contextmanager
def mute() -> Iterator[int]:
    """The port of one that takes every connection and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as listener:
        yield int(listener.getsockname()[1])


@contextmanager
def dripping(seconds: float) -> Iterator[int]:
    """The port of one that sends its answer a byte at a time, with that long between two."""

    def drip(listener: socket.socket) -> None:
        with suppress(OSError):
            line, _ = listener.accept()
            with line:
                for byte in b"HTTP/1.1 200 OK\r\nX-Filler: " + b"x" * 10_000:
                    line.sendall(bytes([byte]))
                    time.sleep(seconds)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        Thread(target=drip, args=(listener,), daemon=True).start()
        yield int(listener.getsockname()[1])
