"""The whole portal by one command: it starts, answers, comes back whatever is killed, and leaves nothing behind."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import redis

from launcher import processes, state, where
from launcher.address import Address
from launcher.portal import MARK
from launcher.postgresql import PostgreSQL
from launcher.tests.conftest import Starter
from launcher.valkey import Valkey

PATIENCE = 60  # seconds
OWN = ("web", "worker", "beat")
SMALL = {"DEMO": "0", "WEB_WORKERS": "1", "CELERY_CONCURRENCY": "1"}

Runner = Callable[[int], subprocess.Popen[str]]


@pytest.fixture
def run(start: Starter) -> Runner:
    """Start a small portal at a port."""
    return lambda port: start("-m", "launcher", "run", PORT=str(port), **SMALL)


def wait_for_greeting(portal: subprocess.Popen[str]) -> list[str]:
    """What it said until it told its address."""
    assert portal.stdout
    said = []
    for line in portal.stdout:
        said.append(line.rstrip())
        if "Ctrl-C stops it" in line:
            return said
    raise AssertionError("\n".join([*said, portal.stderr.read() if portal.stderr else ""]))


def left_over(data: Path) -> list[psutil.Process]:
    home = where.home(data)
    return [
        *processes.marked(MARK, str(data)),
        *processes.all_in(home / "postgresql", "postgres"),
        *processes.all_in(home / "redis", "valkey-server"),
    ]


def wait_until(what: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE
    while not (done := what()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return done


def parts(portal: subprocess.Popen[str], data: Path) -> dict[str, psutil.Process]:
    """Its direct processes by name, and the servers."""
    own = {process.pid: process for process in processes.marked(MARK, str(data)) if process.ppid() == portal.pid}
    by_word = {"gunicorn": "web", "worker": "worker", "beat": "beat"}
    found = {name: own[pid] for pid in own for word, name in by_word.items() if word in own[pid].cmdline()}
    servers = [PostgreSQL(data, for_tests=False).process(), Valkey(data, for_tests=False).process()]
    return found | {name: each for name, each in zip(("postgresql", "redis"), servers, strict=True) if each}


def worker_works(data: Path) -> bool:
    """Whether a hint of beat reaches the worker, which notes so in the cache."""
    with redis.Redis.from_url(where.redis_url(data, 1)) as cache:
        cache.flushdb()
        return wait_until(lambda: bool(cache.keys("*lms:beat")))


def restarts(data: Path) -> dict[str, int]:
    return {name: each["restarts"] for name, each in (state.read(data) or {}).items()}


def is_whole(data: Path) -> bool:
    return all(each["state"] == "running" for each in (state.read(data) or {}).values())


def test_it_starts_answers_and_stops_and_starts_again(run: Runner, data: Path, free_port: int) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        portal = run(free_port)
        said = wait_for_greeting(portal)
        assert f"  The portal runs at http://localhost:{free_port}/" in said
        assert Address("127.0.0.1", free_port).answers()
        addresses = {process.environ().get("PORTAL_URL") for process in processes.marked(MARK, str(data))}
        assert addresses == {f"http://localhost:{free_port}"}  # the worker's too: it writes the mails

        portal.send_signal(number)
        portal.send_signal(number)
        portal.communicate(timeout=PATIENCE)
        assert portal.returncode == 0
        assert left_over(data) == []
        assert not Address("127.0.0.1", free_port).answers()


def test_it_runs_once_per_data_folder(run: Runner, data: Path, free_port: int) -> None:
    portal = run(free_port)
    wait_for_greeting(portal)

    second = run(free_port)
    _, complaint = second.communicate(timeout=PATIENCE)
    assert second.returncode == 1
    assert "already runs" in complaint
    portal.terminate()
    portal.communicate(timeout=PATIENCE)


@pytest.mark.skipif(sys.platform != "linux", reason="no other system tells a process that its parent died")
def test_its_processes_end_when_it_is_killed(run: Runner, data: Path, free_port: int) -> None:
    portal = run(free_port)
    wait_for_greeting(portal)
    portal.kill()
    portal.wait()

    assert wait_until(lambda: not list(processes.marked(MARK, str(data))))


def test_it_clears_up_what_an_earlier_run_left(run: Runner, data: Path, free_port: int) -> None:
    stray = subprocess.Popen(["sleep", "1000"], env=os.environ | {MARK: str(data)})
    portal = run(free_port)
    said = wait_for_greeting(portal)

    assert "» Ending 1 processes that an earlier run left behind" in said
    assert stray.wait(PATIENCE) == -signal.SIGTERM
    portal.terminate()
    portal.communicate(timeout=PATIENCE)


def test_each_part_comes_back_alone(run: Runner, data: Path, free_port: int) -> None:
    portal = run(free_port)
    wait_for_greeting(portal)
    before = parts(portal, data)
    assert before.keys() == {"web", "worker", "beat", "postgresql", "redis"}

    for name in ("postgresql", "redis"):
        before[name].kill()
    assert wait_until(lambda: restarts(data)["postgresql"] == restarts(data)["redis"] == 1 and is_whole(data))
    assert wait_until(lambda: Address("127.0.0.1", free_port).answers("/health/"))
    assert worker_works(data), "it has found its broker again"
    assert {name: parts(portal, data)[name].pid for name in OWN} == {name: before[name].pid for name in OWN}

    for name in OWN:
        before[name].kill()
    assert wait_until(lambda: restarts(data) == dict.fromkeys(before, 1) and is_whole(data))
    assert wait_until(lambda: Address("127.0.0.1", free_port).answers("/health/"))
    assert worker_works(data)

    portal.terminate()
    said, _ = portal.communicate(timeout=PATIENCE)
    assert portal.returncode == 0
    for name in OWN:
        assert f"» {name} ended (signal 9); started again in 0.5 s" in said
    assert "» PostgreSQL runs again" in said
    assert left_over(data) == []
    assert not state.path(data).exists()


def test_what_cannot_start_waits_longer_each_time(start: Starter, data: Path, free_port: int) -> None:
    portal = start("-m", "launcher", "run", PORT=str(free_port), **SMALL | {"WEB_WORKERS": "many"})
    assert portal.stdout
    waits = []
    for line in portal.stdout:
        if found := re.search(r"web ended \(exit status \d+\); started again in ([\d.]+) s(.*)", line):
            waits.append(float(found[1]))
            if len(waits) == 4:
                assert "4 times in a row: its own lines above say why" in found[2]
                break
    assert waits == [0.5, 1, 2, 4]

    portal.terminate()  # while the web waits for its next start
    portal.communicate(timeout=PATIENCE)
    assert portal.returncode == 0
    assert left_over(data) == []


def test_it_stops_while_it_is_still_starting(run: Runner, empty: Path, free_port: int) -> None:
    portal = run(free_port)
    assert portal.stdout
    assert portal.stdout.readline().startswith("» Starting PostgreSQL")
    time.sleep(0.3)
    portal.terminate()

    portal.communicate(timeout=PATIENCE)
    assert portal.returncode == 0
    assert left_over(empty) == []


def test_it_says_why_it_does_not_start(start: Starter, data: Path, free_port: int) -> None:
    url = f"postgresql://lms:very-secret@127.0.0.1:{free_port}/lms"
    portal = start("-m", "launcher", "run", PORT=str(free_port), DATABASE_URL=url)

    _, complaint = portal.communicate(timeout=PATIENCE)
    assert portal.returncode == 1
    assert "PostgreSQL can't be reached at DATABASE_URL" in complaint
    assert "very-secret" not in complaint
    assert "Traceback" not in complaint
