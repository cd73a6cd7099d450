"""Logs on standard error: one line per request, task or trouble, coloured for a person or JSON for a machine."""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from typing import Any

import structlog
import structlog.tracebacks
from django.http import HttpRequest
from django.utils.functional import empty
from django_structlog.middlewares import RequestMiddleware

RESET_LINK = re.compile(r"(/reset-password/[^/\s]+/)[^/\s\"']+")


def hide_links(logger: Any, name: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Takes what opens an account out of a line: a live reset link is as good as a password."""
    for key, value in line.items():
        if isinstance(value, str):
            line[key] = RESET_LINK.sub(r"\1…", value)
    return line


SHARED: tuple[structlog.typing.Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.TimeStamper(fmt="iso"),
)


def configured(form: str, level: str) -> dict[str, Any]:
    """Set structlog up, and answer Django's LOGGING for the same lines. `form` is `json` or `console`."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "lines": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": _renderers(form),
                "foreign_pre_chain": list(SHARED),
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"handlers": [], "level": level, "propagate": True},
            "django.request": {"level": "ERROR"},  # the request's own line has the status already
            "django_structlog.celery": {"level": "WARNING"},
        },
    }


def _renderers(form: str) -> list[structlog.typing.Processor]:
    """Tracebacks come without the values of variables: those may be passwords and people's data."""
    clean = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if form == "json":
        plain = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        return [clean, structlog.processors.ExceptionRenderer(plain), hide_links, structlog.processors.JSONRenderer()]
    return [clean, hide_links, structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]


class RequestLog(RequestMiddleware):
    """Binds request, user and task together in the log; leaves out what people typed into the address."""

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        return f"{request.method} {request.path}"

    @staticmethod
    def bind_user_id(request: HttpRequest) -> None:
        """Only of an account that was read already: the log asks the database for nothing, which may be gone."""
        user = getattr(request, "user", None)
        if user is not None and getattr(user, "_wrapped", user) is not empty:
            structlog.contextvars.bind_contextvars(user_id=user.pk)
