"""The whole portal by one command: it starts, answers, and leaves nothing behind."""

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from launcher import processes, where
from launcher.address import Address
from launcher.portal import MARK
from launcher.tests.conftest import Starter

PATIENCE = 60  # seconds
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


def test_it_runs_once_per_data_folder_and_clears_up_after_a_kill(run: Runner, data: Path, free_port: int) -> None:
    portal = run(free_port)
    wait_for_greeting(portal)

    second = run(free_port)
    _, complaint = second.communicate(timeout=PATIENCE)
    assert second.returncode == 1
    assert "already runs" in complaint

    portal.kill()
    portal.wait()
    strays = {process.pid for process in processes.marked(MARK, str(data))}
    assert strays

    third = run(free_port)
    said = wait_for_greeting(third)
    assert any("left behind" in line for line in said)
    assert not strays & {process.pid for process in processes.marked(MARK, str(data))}
    third.terminate()
    third.communicate(timeout=PATIENCE)
    assert left_over(data) == []


def test_it_stops_as_a_whole_when_a_part_ends(run: Runner, data: Path, free_port: int) -> None:
    portal = run(free_port)
    wait_for_greeting(portal)
    beat = next(process for process in processes.marked(MARK, str(data)) if "beat" in process.cmdline())
    beat.kill()

    _, complaint = portal.communicate(timeout=PATIENCE)
    assert portal.returncode == 1
    assert "one of its processes ended" in complaint
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
