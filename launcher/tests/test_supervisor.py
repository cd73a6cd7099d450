"""Processes that are kept running, with real ones: short shell commands."""

import io
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from launcher import processes, state
from launcher.backoff import Backoff
from launcher.child import Child
from launcher.heartbeat import Heartbeat
from launcher.kept import Kept, Watch
from launcher.supervisor import Supervisor
from launcher.terminal import MANY, Terminal

PATIENCE = 30.0  # seconds, generous
STUBBORN = "trap '' TERM; while true; do sleep 1; done"


class Stage:
    """A supervisor of some commands, looked after by hand."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.said = folder, io.StringIO()
        self.terminal = Terminal(self.said)
        self.kept: list[Kept] = []
        self.supervisor = Supervisor(self.kept, folder)

    def keep(self, name: str, command: str, watch: Watch | None = None, **variables: str) -> Kept:
        environment = os.environ | variables
        kept = Kept(name, lambda: Child(name, command, environment, self.terminal), self.terminal.say, watch)
        self.kept.append(kept)
        return kept

    def until(self, what: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not what():
            assert time.monotonic() < deadline, self.said.getvalue()
            self.supervisor.look()
            time.sleep(0.02)

    def until_said(self, text: str) -> None:
        self.until(lambda: text in self.said.getvalue())


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    yield made
    made.supervisor.stop()
    made.terminal.close()


def pid_of(kept: Kept) -> int:
    return kept.child.pid if kept.child else 0


def send(number: signal.Signals, kept: Kept) -> int:
    """To its process, which must be there: number 0 would be our own group."""
    assert kept.child
    os.kill(kept.child.pid, number)
    return kept.child.pid


def test_one_that_is_killed_is_started_again_and_the_others_stay(stage: Stage) -> None:
    one, other = stage.keep("one", "exec sleep 1000"), stage.keep("other", "exec sleep 1000")
    stage.until(lambda: pid_of(one) and pid_of(other))
    bystander = pid_of(other)
    first = send(signal.SIGKILL, one)

    stage.until(lambda: pid_of(one) not in {0, first})
    stage.until_said("» one ended (signal 9); started again in 0.5 s")
    assert pid_of(other) == bystander


def test_what_a_killed_one_left_is_ended_before_the_next_start(stage: Stage) -> None:
    """As gunicorn's workers, which hold the port."""
    kept = stage.keep("web", f'sh -c "{STUBBORN}" & echo left $!; wait')
    stage.until_said("left ")
    orphan = psutil.Process(int(stage.said.getvalue().split("left ")[1].split()[0]))
    first = send(signal.SIGKILL, kept)

    stage.until(lambda: pid_of(kept) not in {0, first})
    assert processes.is_zombie(orphan.pid)


def test_it_tells_the_file_what_it_does(stage: Stage) -> None:
    kept = stage.keep("beat", "exec sleep 1000")
    stage.until(lambda: pid_of(kept))
    stage.until(lambda: (state.read(stage.folder) or {}).get("beat", {}).get("state") == "running")
    send(signal.SIGKILL, kept)
    stage.until(lambda: (state.read(stage.folder) or {})["beat"]["state"] == "restarting")
    stage.until(lambda: (state.read(stage.folder) or {})["beat"]["state"] == "running")

    found = state.read(stage.folder)
    assert found
    assert found["beat"]["restarts"] == 1
    assert found["beat"]["since"].endswith("Z")


def test_one_that_sends_no_sign_of_life_is_killed(stage: Stage) -> None:
    """Stopped by SIGSTOP: alive to the eye, and dead to everybody else."""
    heartbeat = Heartbeat(stage.folder / "alive")
    signs = "import time\nfrom lms.alive import tell\nwhile True: tell(); time.sleep(.05)"
    watch = Watch(heartbeat.heard, patience=3)
    kept = stage.keep("worker", f"exec {sys.executable} -c '{signs}'", watch, **heartbeat.environment(3))
    stage.until(lambda: kept.child and kept._silence == 0.0)
    first = send(signal.SIGSTOP, kept)

    stage.until_said("» worker gave no sign of life for 3 s and is killed")
    stage.until(lambda: pid_of(kept) not in {0, first})
    stage.until(lambda: kept.child and kept._silence == 0.0)
    heartbeat.close()
    assert "started again" in stage.said.getvalue()


def test_a_launcher_that_slept_kills_nobody(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = stage.keep("worker", "exec sleep 1000", Watch(lambda: False, patience=90))
    stage.until(lambda: pid_of(kept))
    first, awake = pid_of(kept), time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: awake() + 3600)  # the machine was closed for an hour

    for _ in range(20):  # long enough for a kill to be seen
        stage.supervisor.look()
        time.sleep(0.02)
    assert pid_of(kept) == first
    assert kept.status()["restarts"] == 0


def test_the_wait_grows_and_good_running_resets_it() -> None:
    backoff = Backoff()
    assert [backoff.wait_after(0) for _ in range(9)] == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    assert backoff.wait_after(ran_for=61) == 0.5
    assert backoff.wait_after(0) == 1


def test_one_that_never_starts_is_told_with_what_may_help(stage: Stage) -> None:
    watch = Watch(lambda: False, 60, advice=lambda: "Port 8000 can't be used.")
    stage.keep("web", "exit 3", watch)

    stage.until_said("» web ended (exit status 3); started again in 2 s. 3 times in a row: Port 8000 can't be used.")


def test_stopping_ends_the_stubborn_the_stopped_and_those_that_wait(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("launcher.supervisor.ENDS_WITHIN", 3.0)
    polite = f"trap 'touch {stage.folder}/asked; exit' TERM; echo listens; while true; do sleep 0.1; done"
    stubborn, stopped = stage.keep("stubborn", STUBBORN), stage.keep("stopped", polite)
    waiting = stage.keep("waiting", "exit 1")
    stage.until(lambda: waiting.status()["restarts"] == 2 and not waiting.child)
    stage.until_said("listens")
    pids = [pid_of(stubborn), send(signal.SIGSTOP, stopped)]

    stage.supervisor.stop()
    assert all(not psutil.pid_exists(pid) for pid in pids)
    assert (stage.folder / "asked").exists(), "the stopped one was continued, to end politely"
    assert waiting.child is None
    assert not state.path(stage.folder).exists()


def test_its_lines_carry_the_name_and_a_stuck_terminal_stops_nothing(stage: Stage) -> None:
    class Stuck(io.StringIO):
        gate = threading.Event()

        def write(self, text: str) -> int:
            self.gate.wait(PATIENCE)
            return super().write(text)

    stuck = Stuck()
    terminal = Terminal(stuck)
    for number in range(MANY + 100):
        terminal.line(str(number))
    stuck.gate.set()
    terminal.close()
    assert "lines were dropped" in stuck.getvalue()
    stage.keep("web", "echo hello; exec sleep 1000")
    stage.until_said("web    | hello\n")


@pytest.mark.skipif(sys.platform != "linux", reason="no other system tells a process that its parent died")
def test_a_process_ends_when_its_launcher_was_killed() -> None:
    code = (
        "import os, time\nfrom launcher.child import Child\nfrom launcher.terminal import Terminal\n"
        "print(Child('a', 'exec sleep 1000', os.environ, Terminal()).pid, flush=True); time.sleep(1000)"
    )
    launcher = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert launcher.stdout
    child = psutil.Process(int(launcher.stdout.readline()))
    deadline = time.monotonic() + PATIENCE
    while child.name() != "sleep" and time.monotonic() < deadline:
        time.sleep(0.02)
    launcher.kill()
    launcher.wait()
    launcher.stdout.close()

    while not processes.is_zombie(child.pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert processes.is_zombie(child.pid)


def test_a_heartbeat_hears_only_signs(tmp_path: Path) -> None:
    heartbeat = Heartbeat(tmp_path / "alive")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.connect(str(heartbeat.path))
        assert not heartbeat.heard()
        line.send(b"STATUS=busy")
        assert not heartbeat.heard()
        line.send(b"STATUS=busy\nWATCHDOG=1")
        assert heartbeat.heard()
        assert not heartbeat.heard()
    heartbeat.close()
    assert not heartbeat.path.exists()


@pytest.mark.parametrize("content", ["", "\0" * 300, "[]", '{"written_at": 1', '{"written_at": 1, "processes": {}}'])
def test_a_file_that_is_old_or_spoilt_says_nothing(tmp_path: Path, content: str) -> None:
    assert state.read(tmp_path) is None
    state.path(tmp_path).write_text(content)
    assert state.read(tmp_path) is None


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    file = state.StateFile(tmp_path / "gone")
    file.show({"web": {"state": "running", "restarts": 0, "since": state.now()}})
    file.remove()
    assert state.read(tmp_path / "gone") is None
