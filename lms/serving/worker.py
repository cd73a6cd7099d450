"""gunicorn's threaded worker, in which a client that sends or reads slowly holds a socket and never a thread.

The main loop reads heads and short bodies, with time-outs; a thread gets a request that is whole. Long bodies are
read in the thread, by few threads at once. What a thread wrote and the client hasn't read yet the main loop sends.
"""

from __future__ import annotations

import resource
import selectors
import time
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

from lms.serving.client import ClientSocket
from lms.serving.incoming import Incoming, Kind
from lms.serving.lanes import Lanes
from lms.serving.refusals import refusal

HEAD_SECONDS = 10
BODY_SECONDS = 30  # for a body that is awaited
QUEUE_SECONDS = 15  # for a thread
WRITE_SECONDS = 60  # for what is left of an answer
LINGER_SECONDS = 2  # so that a refused client reads the answer before the connection is reset
LEFT_AT_STOP = 0.5
MOST_UNSENT = 64 * 1024 * 1024  # bytes of all answers that clients haven't read
BLOCK = 64 * 1024


class Client(TConn):  # type: ignore[misc]
    """A connection, what has arrived on it, and until when the main loop waits for more."""

    sock: ClientSocket

    def __init__(self, cfg: Any, sock: ClientSocket, client: Any, server: Any) -> None:
        super().__init__(cfg, sock, client, server)
        self.incoming = Incoming()
        self.deadline = 0.0
        self.data_ready = True

    @property
    def kind(self) -> Kind:
        return self.incoming.kind or Kind.UNDECLARED

    def start(self) -> None:
        """Hand what arrived to gunicorn's parser, for a thread to take."""
        self.init()
        self.sock.give_to_thread()
        self.parser.unreader.unread(bytes(self.incoming.data))


class BufferingWorker(ThreadWorker):  # type: ignore[misc]
    """`--worker-class lms.serving.worker.BufferingWorker`; `--threads` are those that run requests."""

    def init_process(self) -> None:
        self.watched: dict[Client, None] = {}  # those that the main loop reads from or writes to, oldest first
        self.lanes: Lanes[Client] = Lanes(self.cfg.threads)
        self.stopping_since = 0.0
        self.state_threads = ThreadPoolExecutor(2)
        _allow_many_files()
        super().init_process()

    def accept(self, listener: Any) -> None:
        """Of too many connections the one that waits longest makes room."""
        try:
            accepted, address = listener.accept()
        except OSError:
            return
        self.nr_conns += 1
        client = Client(self.cfg, ClientSocket(accepted), address, listener.getsockname())
        if self.nr_conns >= self.worker_connections - 1 and self.watched:
            self._drop(next(iter(self.watched)))
        self._await(client, HEAD_SECONDS)

    def murder_pending(self) -> None:
        """Called at least once a second: end what took too long."""
        now = time.monotonic()
        if not self.alive:
            self._let_idle_go(now)
        for client in [client for client in self.watched if client.deadline <= now]:
            self._refuse(client, 408) if client.incoming.data else self._drop(client)
        for client in [client for client in self.lanes.waiting if client.deadline <= now]:
            self.lanes.waiting.remove(client)
            self._refuse(client, 503)

    def finish_request(self, client: Client, work: Future[bool]) -> None:
        """On the main loop, after a thread is done."""
        if client.kind is not Kind.STATE:
            self.lanes.done(client.kind)
        failed = work.cancelled() or work.exception() is not None
        stays = not failed and bool(work.result()) and client.incoming.is_awaited()
        client.sock.settimeout(0)
        client.incoming.data.clear()
        self._send_rest(client, stays)
        self._start_waiting()

    def _keepalive_after(self, client: Client, keepalive: bool) -> bool:
        """What is left of a body is read only where all of it has arrived."""
        return bool(keepalive and client.incoming.is_awaited() and client.parser.finish_body())

    def _await(self, client: Client, seconds: float) -> None:
        client.deadline = time.monotonic() + seconds
        self._watch(client, selectors.EVENT_READ, self._receive)

    def _watch(self, client: Client, event: int, do: Any) -> None:
        self._unwatch(client)
        self.watched[client] = None
        self.poller.register(client.sock, event, partial(self._guarded, do, client))

    def _unwatch(self, client: Client) -> None:
        if client in self.watched:
            del self.watched[client]
            self.poller.unregister(client.sock)

    def _guarded(self, do: Any, client: Client, _: Any) -> None:
        """No client can end the main loop."""
        try:
            do(client)
        except BlockingIOError:
            return
        except OSError:
            self._drop(client)

    def _drop(self, client: Client) -> None:
        self._unwatch(client)
        self.nr_conns -= 1
        client.close()

    def _receive(self, client: Client) -> None:
        data = client.sock.recv(BLOCK)
        if not data:
            self._drop(client)
            return
        self._feed(client, data)

    def _feed(self, client: Client, data: bytes) -> None:
        incoming = client.incoming
        is_new, had_head = not incoming.data, incoming.kind is not None
        if answer := incoming.feed(data):
            client.sock.send(answer)
        if incoming.is_too_long():
            self._refuse(client, 431)
        elif incoming.is_whole():
            self._queue(client)
        elif is_new or (incoming.kind is not None and not had_head):
            self._await(client, BODY_SECONDS if incoming.kind else HEAD_SECONDS)

    def _queue(self, client: Client) -> None:
        self._unwatch(client)
        if client.kind is Kind.STATE:
            self._start(client, self.state_threads)
            return
        client.deadline = time.monotonic() + QUEUE_SECONDS
        self.lanes.put(client)
        self._start_waiting()

    def _start_waiting(self) -> None:
        for client in self.lanes.next():
            if client.sock.has_gone():
                self.lanes.done(client.kind)
                self._drop(client)
            else:
                self._start(client, self.tpool)

    def _start(self, client: Client, threads: ThreadPoolExecutor) -> None:
        client.start()
        work = threads.submit(self.handle, client)
        work.add_done_callback(lambda done: self.method_queue.defer(self.finish_request, client, done))

    def _send_rest(self, client: Client, stays: bool) -> None:
        """Send what the client hasn't read, then go on with the connection or end it."""
        if client.sock.unsent:
            client.deadline = time.monotonic() + WRITE_SECONDS
            self._watch(client, selectors.EVENT_WRITE, partial(self._flush, stays=stays))
            self._bound_unsent()
        elif stays:
            self._go_on(client)
        else:
            self._linger(client)

    def _bound_unsent(self) -> None:
        """Of too many clients that don't read the one that was answered first makes room."""
        slow = [client for client in self.watched if client.sock.unsent]
        if sum(len(client.sock.unsent) for client in slow) > MOST_UNSENT:
            self._drop(slow[0])

    def _flush(self, client: Client, stays: bool) -> None:
        client.sock.flush()
        if not client.sock.unsent:
            self._unwatch(client)
            self._send_rest(client, stays)

    def _go_on(self, client: Client) -> None:
        early = client.parser.unreader.take_buffered()
        client.incoming = Incoming()
        self._await(client, self.cfg.keepalive)
        if early:
            self._feed(client, early)

    def _linger(self, client: Client) -> None:
        """Closed at once, a connection with unread bytes is reset, and the answer may be lost."""
        try:
            client.sock.shutdown(1)
        except OSError:
            self._drop(client)
            return
        client.deadline = time.monotonic() + LINGER_SECONDS
        self._watch(client, selectors.EVENT_READ, self._discard)

    def _discard(self, client: Client) -> None:
        if not client.sock.recv(BLOCK):
            self._drop(client)

    def _refuse(self, client: Client, status: int) -> None:
        self._unwatch(client)
        client.sock.unsent += refusal(status, is_rest=client.incoming.is_for_rest())
        client.incoming.data.clear()
        try:
            client.sock.flush()
        except OSError:
            self._drop(client)
        else:
            self._linger(client)

    def _let_idle_go(self, now: float) -> None:
        """A worker that stops finishes what has begun and waits for nothing else."""
        self.stopping_since = self.stopping_since or now
        if now - self.stopping_since > LEFT_AT_STOP:
            for client in [client for client in self.watched if not client.incoming.data and not client.sock.unsent]:
                self._drop(client)


def _allow_many_files() -> None:
    """As many as the system lets us have: each connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard and (hard == resource.RLIM_INFINITY or soft < hard):
        wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
