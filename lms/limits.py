"""How long PostgreSQL may keep a process waiting: bounded for the web and the workers, not for commands."""

from __future__ import annotations

import environ

# Defaults in seconds, by kind of process: waiting for a lock, one statement, a transaction in which nothing happens.
LIMITS = {"web": (5, 30, 60), "worker": (30, 840, 300)}
NONE = (0, 0, 0)


def of_process(kind: str, env: environ.Env) -> tuple[int, int, int]:
    """The limits of this kind of process, as the environment has them."""
    if kind not in LIMITS:
        return NONE
    lock, statement, idle = LIMITS[kind]
    name = kind.upper()
    return (
        env.int(f"{name}_LOCK_TIMEOUT_SECONDS", default=lock),
        env.int(f"{name}_STATEMENT_TIMEOUT_SECONDS", default=statement),
        idle,
    )


def connection_options(given: str, limits: tuple[int, int, int]) -> str:
    """For libpq's `options`: set at the start of a connection, so that `SET LOCAL … = DEFAULT` comes back to them."""
    names = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
    ours = [f"-c {name}={seconds * 1000}" for name, seconds in zip(names, limits, strict=True) if seconds]
    return " ".join([*ours, given]).strip()
