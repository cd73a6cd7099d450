"""`/health/` says how the portal is, `/ready/` whether it may be sent requests. Both answer within a second, always.

For load balancers, supervisors and monitors. Nothing here waits for a server: probes do, in threads of their own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from launcher import state
from lms.probes import FAILED, Probe, ask_all

BEAT = "lms:beat"  # in the cache: when the worker last answered a hint of beat, in seconds
SILENT_AFTER = 60  # seconds
TABLES_ARE_MADE = threading.Event()  # found out once per process
OPTIONS = "-c statement_timeout=2000 -c lock_timeout=1000"


@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """200 when PostgreSQL answers, else 503. Without Redis or a worker pages still work: that is told, no more."""
    database, beat = ask_all([DATABASE, REDIS])
    checks = {
        "database": "failing" if database is FAILED else "ok",
        "redis": "failing" if beat is FAILED else "ok",
        "worker": _worker(beat),
    }
    status = "ok" if checks["database"] == "ok" else "failing"
    return _told(status, checks, is_well=status == "ok", **_supervised())


@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """200 when PostgreSQL answers and its tables are those of this release, else 503."""
    (pending,) = ask_all([MIGRATIONS])
    checks = {
        "database": "failing" if pending is FAILED else "ok",
        "migrations": "unknown" if pending is FAILED else ("pending" if pending else "ok"),
    }
    is_ready = checks["migrations"] == "ok"
    return _told("ready" if is_ready else "not_ready", checks, is_well=is_ready)


VIEWS: dict[str, Callable[[HttpRequest], HttpResponse]] = {"/health/": health, "/ready/": ready}


class StateMiddleware:
    """Answers both before anything that asks the database: sessions, accounts, the log's line."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return VIEWS.get(request.path_info, self.get_response)(request)


def _told(status: str, checks: dict[str, str], *, is_well: bool, **more: Any) -> JsonResponse:
    headers = {} if is_well else {"Retry-After": "5"}
    return JsonResponse({"status": status, "checks": checks, **more}, status=200 if is_well else 503, headers=headers)


def _supervised() -> dict[str, Any]:
    """How the launcher keeps its processes; nothing where something else supervises them."""
    states = state.read(settings.DATA_DIR)
    return {"processes": states} if states else {}


def _worker(beat: Any) -> str:
    if beat is FAILED:
        return "unknown"
    return "ok" if beat is not None and time.time() - beat < SILENT_AFTER else "silent"


@contextmanager
def _own_connection() -> Iterator[BaseDatabaseWrapper]:
    """Not one of a thread that serves requests: those may be busy, and this one tells whether a new one is had."""
    own = connections.create_connection("default")
    options = {**own.settings_dict["OPTIONS"], "connect_timeout": 2, "options": OPTIONS}
    own.settings_dict = {**own.settings_dict, "OPTIONS": options, "CONN_MAX_AGE": 0}
    try:
        yield own
    finally:
        own.close()


def _ask_database() -> None:
    with _own_connection() as own, own.cursor() as cursor:
        cursor.execute("SELECT 1")


def _ask_migrations() -> bool:
    """Whether some are pending. Once none is, this release has its tables, and the database is asked for no more."""
    if TABLES_ARE_MADE.is_set():
        _ask_database()
        return False
    with _own_connection() as own:
        executor = MigrationExecutor(own)
        pending = bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if not pending:
        TABLES_ARE_MADE.set()
    return pending


def _ask_redis() -> Any:
    return cache.get(BEAT)


DATABASE = Probe("database", _ask_database)
REDIS = Probe("redis", _ask_redis)
MIGRATIONS = Probe("migrations", _ask_migrations)
