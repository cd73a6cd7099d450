"""Slow clients hold sockets, never threads. The server has two processes of two threads each."""

from __future__ import annotations

import contextlib
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from lms.serving.tests.application import BIG
from lms.serving.tests.conftest import Web, web_command

AT_ONCE = 2  # seconds on a busy machine; a thread that is held costs 5 at least
HEAD = b"POST /%s HTTP/1.1\r\nHost: localhost\r\n"
SILENT = b""
HALF_A_HEAD = HEAD % b"" + b"X-Slow: "
HALF_A_BODY = HEAD % b"" + b"Content-Length: 1000\r\n\r\nabc"
HALF_A_LONG_BODY = HEAD % b"" + b"Content-Length: 1000000\r\n\r\nabc"
UNREAD_BODY = HEAD % b"unread/" + b"Content-Length: 1000000\r\n\r\nabc"
CHUNKS = HEAD % b"" + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n"
UNREAD_ANSWER = b"GET /middle/ HTTP/1.1\r\nHost: localhost\r\n\r\n"


@contextlib.contextmanager
def slow_clients(web: Web, data: bytes, number: int) -> Iterator[list[socket.socket]]:
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(web.open(data)) for _ in range(number)]


def answer(client: socket.socket) -> bytes:
    """All that the server says until it ends the connection."""
    said = b""
    with contextlib.suppress(ConnectionResetError):
        while data := client.recv(65536):
            said += data
    return said


@pytest.mark.parametrize("name", ["SCRIPT_NAME", "PATH_INFO", "Script_Name"])
def test_a_caller_does_not_say_where_the_portal_lies(small: Web, name: str) -> None:
    assert small.call("GET", "/", {name: "/elsewhere"}).status == 200


@pytest.mark.parametrize("data", [SILENT, HALF_A_HEAD, HALF_A_BODY, HALF_A_LONG_BODY, UNREAD_BODY, CHUNKS])
def test_two_hundred_slow_clients_hold_up_nobody(small: Web, data: bytes) -> None:
    with slow_clients(small, data, 200):
        small.get("/")  # whatever of theirs can be done at once is done
        seconds = sorted(small.get("/")[2] for _ in range(30))
    assert seconds[-1] < AT_ONCE, seconds


def test_clients_that_don_t_read_hold_up_nobody(small: Web) -> None:
    with slow_clients(small, UNREAD_ANSWER, 40):  # each answer costs a copy of a megabyte, so fewer of them
        for _ in range(4):
            small.get("/")
        seconds = sorted(small.get("/")[2] for _ in range(30))
    assert seconds[-1] < AT_ONCE, seconds


def test_all_kinds_at_once_hold_up_nobody(small: Web) -> None:
    with slow_clients(small, SILENT, 200), slow_clients(small, HALF_A_HEAD, 200), slow_clients(small, HALF_A_BODY, 200):
        small.get("/")
        seconds = sorted(small.get("/")[2] for _ in range(60))
    assert seconds[-1] < AT_ONCE, seconds


def test_a_head_that_trickles_in_is_given_up(small: Web) -> None:
    with small.open(HALF_A_HEAD) as client:
        began = time.monotonic()
        said = answer(client)
    assert said.startswith(b"HTTP/1.1 408 ")
    assert 8 < time.monotonic() - began < 14


def test_writes_that_wait_leave_a_thread_to_reads(small: Web) -> None:
    with slow_clients(small, HEAD % b"sleep/" + b"Content-Length: 0\r\n\r\n", 4) as writers:
        time.sleep(0.2)
        assert small.get("/")[2] < AT_ONCE
        assert all(b"200 OK" in client.recv(100) for client in writers)


def test_the_state_is_told_while_every_thread_is_taken(small: Web) -> None:
    with slow_clients(small, b"GET /hold/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 12):
        time.sleep(0.2)
        for path in ("/health/", "/ready/", "/health/?x=1"):
            assert small.get(path)[2] < AT_ONCE


def test_a_request_whose_client_hung_up_in_the_queue_is_not_run(small: Web) -> None:
    with slow_clients(small, b"GET /hold/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 40):
        time.sleep(0.5)
    time.sleep(6)
    assert small.get("/")[2] < AT_ONCE


def test_it_reads_bodies_of_any_length_and_way(small: Web) -> None:
    for length in (0, 1, 1000, 300_000, 3_000_000):
        with small.open(HEAD % b"" + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % length) as client:
            client.sendall(b"a" * length)
            assert answer(client).endswith(b"127.0.0.1 %d" % length)
    chunked = HEAD % b"" + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    with small.open(chunked + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n") as client:
        assert answer(client).endswith(b"127.0.0.1 5")


def test_a_client_that_asks_first_is_told_once_to_go_on(small: Web) -> None:
    with small.open(HEAD % b"" + b"Connection: close\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n") as client:
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"abc")
        said = answer(client)
    assert said.startswith(b"HTTP/1.1 200 OK")
    assert said.endswith(b"127.0.0.1 3")


def test_a_connection_serves_request_after_request(small: Web) -> None:
    one = HEAD % b"" + b"Content-Length: 3\r\n\r\nabc"
    with small.open(one + one + HEAD % b"" + b"Content-Length: 3\r\nConnection: close\r\n\r\nabc") as client:
        assert answer(client).count(b"127.0.0.1 3") == 3


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"a" * 70_000, b"431"),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", b"414"),
        (b"nonsense\r\n\r\n", b"400"),
        (HEAD % b"" + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", b"400"),
    ],
)
def test_it_refuses_what_no_request_may_be(small: Web, data: bytes, status: bytes) -> None:
    with small.open(data) as client:
        assert answer(client).split(b" ", 2)[1] == status


def test_a_long_answer_arrives_whole(small: Web) -> None:
    assert len(small.get("/big/")[1]) == BIG


def test_a_stop_finishes_what_has_begun_and_waits_for_nobody_silent() -> None:
    web = Web(web_command().replace("lms.wsgi", "lms.serving.tests.application"), WEB_WORKERS="1")
    web.wait_until_it_answers()
    with ThreadPoolExecutor(1) as pool, slow_clients(web, SILENT, 5):
        running = pool.submit(web.get, "/sleep/")
        time.sleep(0.3)
        began = time.monotonic()
        web.process.send_signal(signal.SIGTERM)
        assert running.result()[0] == 200
        web.process.communicate(timeout=20)
        assert time.monotonic() - began < 8
