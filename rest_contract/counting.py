"""Counts of requests per short window, in Redis. They guard load alone: without Redis nobody is counted, at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cached_property
from typing import Any

import structlog
from django.conf import settings
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

log = structlog.get_logger(__name__)
WINDOW = 10  # seconds
PATIENCE = 0.2  # seconds that Redis may take
PAUSE = 5.0  # seconds in which a Redis that failed isn't asked again
KNOWN = 300  # seconds that a caller is remembered


class Counting:
    """The counters of this process. What fails is taken for nothing counted, and not tried again for a while."""

    def __init__(self) -> None:
        self._silent_until = 0.0

    @cached_property
    def _redis(self) -> Redis:
        """A client of its own: the cache's waits longer than a count is worth, and tries again."""
        return Redis.from_url(
            str(settings.CACHES["default"]["LOCATION"]),
            socket_timeout=PATIENCE,
            socket_connect_timeout=PATIENCE,
            retry=Retry(NoBackoff(), 0),
        )

    def count(self, who: str, by: int = 1) -> int:
        """How many requests of this caller the window has now; 0 when nobody knows."""
        key = f"lms:rate:{who}:{int(now() // WINDOW)}"
        pipe = self._redis.pipeline(transaction=False)
        pipe.incrby(key, by)
        pipe.expire(key, 2 * WINDOW)
        found = self._ask(pipe.execute)
        return int(found[0]) if found else 0

    def recall(self, credential: str) -> str:
        """Which caller last proved to be the owner of this credential."""
        found = self._ask(lambda: self._redis.get(f"lms:rate:known:{credential}"))
        return found.decode() if isinstance(found, bytes) else ""

    def remember(self, credential: str, who: str) -> None:
        """Until it isn't used for a while; an empty `who` forgets it."""
        key = f"lms:rate:known:{credential}"
        self._ask(lambda: self._redis.set(key, who, ex=KNOWN) if who else self._redis.delete(key))

    def _ask(self, call: Callable[[], Any]) -> Any:
        if time.monotonic() < self._silent_until:
            return None
        try:
            return call()
        except RedisError as error:
            self._silent_until = time.monotonic() + PAUSE
            log.warning("requests_not_counted", reason=type(error).__name__)
            return None


def now() -> float:
    """The clock of the windows."""
    return time.time()


def seconds_left() -> int:
    """Until the window ends."""
    return WINDOW - int(now()) % WINDOW
