"""Looking at processes: alive or not, whose, and how to end one.

A pid file says nothing after a SIGKILL: the number may be free, a zombie's, or somebody else's by now.
"""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil


def alive(pid: int | None, program: str, folder: Path) -> psutil.Process | None:
    """The process `pid` when it runs `program` in `folder`, not dead and not a zombie."""
    if not pid:
        return None
    try:
        process = psutil.Process(pid)
    except psutil.Error:
        return None
    return process if _runs(process, program, folder) else None


def all_in(folder: Path, program: str) -> list[psutil.Process]:
    """Every living process of `program` that works in `folder`."""
    return [process for process in psutil.process_iter() if _runs(process, program, folder)]


def marked(name: str, value: str) -> Iterator[psutil.Process]:
    """Every living process whose environment holds `name=value`."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(name) == value and process.status() != psutil.STATUS_ZOMBIE:
                yield process


def in_session(number: int) -> list[psutil.Process]:
    """Every living process of the session `number`, whichever of them died."""
    return [process for process in psutil.process_iter() if _is_in(process, number)]


def is_zombie(pid: int) -> bool:
    """Whether it ended: gone, or only its parent's to clear away."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def end(processes: list[psutil.Process], first: signal.Signals, patience: float) -> None:
    """Ask with the signal `first`, wait `patience` seconds, then kill what is left."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(first)
    for process in _left_after(processes, patience):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    _left_after(processes, 5)


def _left_after(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """A zombie counts as gone: only its own parent can clear it away."""
    deadline = time.monotonic() + seconds
    left = processes
    while left:
        _, left = psutil.wait_procs(left, timeout=0.02)
        left = [process for process in left if not is_zombie(process.pid)]
        if time.monotonic() >= deadline:
            break
    return left


def _is_in(process: psutil.Process, session: int) -> bool:
    try:
        return os.getsid(process.pid) == session and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, OSError):
        return False


def _runs(process: psutil.Process, program: str, folder: Path) -> bool:
    try:
        return (
            process.name().startswith(program)
            and process.status() != psutil.STATUS_ZOMBIE
            and Path(process.cwd()) == folder
        )
    except (psutil.Error, OSError):
        return False
