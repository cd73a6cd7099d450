"""Beat and the worker: nothing on disk stops them, and they say that they live."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from launcher import where
from lms import alive
from lms.celery import app

PATIENCE = 60.0  # seconds, generous


@pytest.fixture
def beat(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Beat in a folder that holds a spoilt schedule of an earlier version, and where a full disk takes nothing more."""
    (tmp_path / "celerybeat-schedule").write_bytes(b"\0" * 16384)
    given = {
        "DATA_DIR": str(tmp_path),
        "SECRET_KEY": "given, so that nothing is written",
        "DATABASE_URL": where.database_url(settings.DATA_DIR),
        "REDIS_URL": where.redis_url(settings.DATA_DIR, 0),
    }
    tmp_path.chmod(0o555)
    process = subprocess.Popen(
        [sys.executable, "-m", "celery", "--app", "lms", "beat", "--pidfile=", "--loglevel", "info"],
        cwd=where.ROOT,
        env=os.environ | given | {"REDIS_SHARE": "20"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    yield process
    process.kill()
    process.communicate()
    tmp_path.chmod(0o755)


def test_a_spoilt_schedule_file_does_not_stop_beat(beat: subprocess.Popen[str], tmp_path: Path) -> None:
    assert beat.stdout
    sent = set()
    ends = time.monotonic() + PATIENCE
    for line in beat.stdout:
        if "Sending due task" in line:
            sent.add(line.split("Sending due task ")[1].split()[0])
        if sent >= app.conf.beat_schedule.keys() or time.monotonic() > ends:
            break
    assert sent >= app.conf.beat_schedule.keys(), "also what is due once a day"
    assert [path.name for path in tmp_path.iterdir()] == ["celerybeat-schedule"]


def test_each_tick_of_beat_is_a_sign_of_life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "alive"))
        listener.settimeout(PATIENCE)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "alive"))
        monkeypatch.setenv("WATCHDOG_USEC", "6000000")
        alive.MemoryScheduler(app, lazy=True).tick()
        assert listener.recv(100) == b"WATCHDOG=1"
        assert alive.every() == 2


def test_nobody_needs_to_listen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    alive.tell()
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    alive.tell()
    assert alive.every() == alive.UNASKED


def test_beat_never_sleeps_longer_than_its_signs_may_wait() -> None:
    assert alive.MemoryScheduler(app, schedule={}, lazy=True).tick() <= alive.every()
