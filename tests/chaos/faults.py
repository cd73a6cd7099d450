"""What can happen to a running portal. Each fault is one function; its kind is its name."""

from __future__ import annotations

import contextlib
import random
import signal
import time
from collections.abc import Callable, Sequence

import psutil
import redis

from launcher import where
from tests.chaos.portal import Portal

Fault = Callable[[Portal, random.Random], None]
PAUSE = 3.0  # seconds that something is stopped and then goes on


def _signal(found: Sequence[psutil.Process], number: signal.Signals) -> None:
    for process in found:
        with contextlib.suppress(psutil.Error):
            process.send_signal(number)


def _part(portal: Portal, name: str) -> list[psutil.Process]:
    found = portal.parts().get(name)
    return [found] if found else []


def _children(portal: Portal, name: str) -> list[psutil.Process]:
    with contextlib.suppress(psutil.Error):
        return [child for process in _part(portal, name) for child in process.children(recursive=True)]
    return []


def _some(found: list[psutil.Process], chance: random.Random) -> list[psutil.Process]:
    return [chance.choice(found)] if found else []


def _client_backends(portal: Portal) -> list[psutil.Process]:
    """Those that serve a connection; PostgreSQL's own helpers have other names."""
    found = []
    for child in _children(portal, "postgresql"):
        with contextlib.suppress(psutil.Error):
            if "[local]" in " ".join(child.cmdline()):
                found.append(child)
    return found


def web_killed(portal: Portal, chance: random.Random) -> None:
    _signal(_part(portal, "web"), signal.SIGKILL)


def web_worker_killed(portal: Portal, chance: random.Random) -> None:
    _signal(_some(_children(portal, "web"), chance), signal.SIGKILL)


def worker_killed(portal: Portal, chance: random.Random) -> None:
    _signal(_part(portal, "worker"), signal.SIGKILL)


def task_killed(portal: Portal, chance: random.Random) -> None:
    _signal(_some(_children(portal, "worker"), chance), signal.SIGKILL)


def beat_killed(portal: Portal, chance: random.Random) -> None:
    _signal(_part(portal, "beat"), signal.SIGKILL)


def postgresql_killed(portal: Portal, chance: random.Random) -> None:
    _signal(_part(portal, "postgresql"), signal.SIGKILL)


def backend_killed(portal: Portal, chance: random.Random) -> None:
    """PostgreSQL then restarts all its processes."""
    _signal(_some(_client_backends(portal), chance), signal.SIGKILL)


def redis_killed(portal: Portal, chance: random.Random) -> None:
    _signal(_part(portal, "redis"), signal.SIGKILL)


def redis_flushed(portal: Portal, chance: random.Random) -> None:
    with contextlib.suppress(redis.RedisError), redis.Redis.from_url(where.redis_url(portal.data, 0)) as client:
        client.flushall()


def connections_cut(portal: Portal, chance: random.Random) -> None:
    portal.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        " AND backend_type = 'client backend'"
    )


def web_paused(portal: Portal, chance: random.Random) -> None:
    _paused([*_part(portal, "web"), *_children(portal, "web")])


def postgresql_paused(portal: Portal, chance: random.Random) -> None:
    _paused([*_part(portal, "postgresql"), *_client_backends(portal)])


def redis_paused(portal: Portal, chance: random.Random) -> None:
    _paused(_part(portal, "redis"))


def web_hung(portal: Portal, chance: random.Random) -> None:
    _signal([*_part(portal, "web"), *_children(portal, "web")], signal.SIGSTOP)
    _await_restart(portal, "web")


def worker_hung(portal: Portal, chance: random.Random) -> None:
    _signal(_part(portal, "worker"), signal.SIGSTOP)
    _await_restart(portal, "worker")


def postgresql_hung(portal: Portal, chance: random.Random) -> None:
    _signal(_part(portal, "postgresql"), signal.SIGSTOP)
    _await_restart(portal, "postgresql")


def schedule_file_spoilt(portal: Portal, chance: random.Random) -> None:
    (portal.data / "celerybeat-schedule").write_bytes(b"\0" * 16384)
    beat_killed(portal, chance)


def everything_killed(portal: Portal, chance: random.Random) -> None:
    _signal(list(portal.parts().values()), signal.SIGKILL)


def launcher_killed(portal: Portal, chance: random.Random) -> None:
    """Nobody is left to bring it back: a person starts it again."""
    if portal.launcher:
        portal.launcher.kill()
        portal.launcher.wait()
    portal.start()


def _paused(found: list[psutil.Process]) -> None:
    _signal(found, signal.SIGSTOP)
    time.sleep(PAUSE)
    _signal(found, signal.SIGCONT)


def _await_restart(portal: Portal, name: str) -> None:
    """A stopped process looks well until somebody notices that it is silent."""
    before = portal.parts().get(name)
    ends = time.monotonic() + 180
    while time.monotonic() < ends and before and portal.parts().get(name, before).pid == before.pid:
        time.sleep(0.2)


SHORT: tuple[Fault, ...] = (
    web_killed,
    worker_killed,
    postgresql_killed,
    redis_killed,
    connections_cut,
    schedule_file_spoilt,
)
ALL: tuple[Fault, ...] = (
    *SHORT,
    web_worker_killed,
    task_killed,
    beat_killed,
    backend_killed,
    redis_flushed,
    web_paused,
    postgresql_paused,
    redis_paused,
    web_hung,
    worker_hung,
    postgresql_hung,
    everything_killed,
    launcher_killed,
)
