"""A mail server on this machine: takes mails, and refuses some addresses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread


class MailServer(ThreadingTCPServer):
    """`taken` are the recipients of the mails that came in; `refused` the addresses that are refused, with a code."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.taken: list[str] = []
        self.texts: list[str] = []
        self.refused: dict[str, int] = {}


class Conversation(StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self.say(220)
        recipient = ""
        while line := self.rfile.readline().decode().strip():
            command = line[:4].upper()
            if command == "RCPT":
                recipient = line[line.index("<") + 1 : line.index(">")]
                self.say(self.server.refused.get(recipient, 250))
            elif command == "DATA":
                self.say(354)
                self.server.texts.append(self.read_text())
                self.server.taken.append(recipient)
                self.say(250)
            elif command == "QUIT":
                self.say(221)
                return
            else:
                self.say(250)

    def say(self, code: int) -> None:
        self.wfile.write(f"{code} you know whom I mean\r\n".encode())

    def read_text(self) -> str:
        lines = iter(self.rfile.readline, b".\r\n")
        return b"".join(lines).decode()


@contextmanager
def mail_server() -> Iterator[MailServer]:
    with MailServer() as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server
        server.shutdown()
