"""`/health/`: may this portal be sent requests? For load balancers and monitors; it tells nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog
from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

log = structlog.get_logger(__name__)
BEAT = "lms:beat"  # in the cache: when the worker last answered a hint of beat, in seconds
SILENT_AFTER = 60  # seconds


@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """200 when PostgreSQL answers, else 503. Without Redis or a worker pages still work: that is told, no more."""
    checks = {"database": _state("database", _ask_database), "redis": _state("redis", _ask_redis)}
    checks["worker"] = "unknown" if checks["redis"] == "failing" else _worker()
    status = "ok" if checks["database"] == "ok" else "failing"
    return JsonResponse({"status": status, "checks": checks}, status=200 if status == "ok" else 503)


def _state(name: str, ask: Callable[[], None]) -> str:
    """A monitor must get an answer whatever fails, and by which error."""
    try:
        ask()
    except Exception:
        log.exception("health_check_failed", check=name)
        return "failing"
    return "ok"


def _ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _ask_redis() -> None:
    cache.get(BEAT)


def _worker() -> str:
    beat = cache.get(BEAT)
    return "ok" if beat is not None and time.time() - beat < SILENT_AFTER else "silent"
