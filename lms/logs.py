"""Logs on standard error: one line per request, task or trouble, coloured for a person or JSON for a machine."""

from __future__ import annotations

import re
import traceback
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any, TextIO

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


# PostgreSQL says which values stood in the way; people's names among them.
DETAIL = re.compile(
    r"(\n|\\n)(DETAIL|CONTEXT|LINE \d+):.*?(?=\n[ \t]*(?:\n|File |The above|During|Traceback)|[\"']\)|$)", re.DOTALL
)
ADDRESS = re.compile(r"[^\s'\"<>(),:;=\[\]]+@[^\s'\"<>(),:;=\[\]]+\.[^\s'\"<>(),:;=\[\]]+")
QUOTED = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"")


def hide_people(logger: Any, name: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Takes e-mail addresses, and what the database says about values, out of a line."""
    for key, value in line.items():
        if isinstance(value, str):
            line[key] = without_people(value)
    return line


def without_people(text: str) -> str:
    return ADDRESS.sub("[e-mail]", DETAIL.sub("", text))


def said(error_text: str) -> str:
    """What an error says, without the values that it quotes."""
    return QUOTED.sub("'…'", without_people(error_text))


def traceback_in_text(out: TextIO, found: Any) -> None:
    """The traceback of an error for people, with what each error in its chain says cleaned."""
    text = "".join(traceback.format_exception(*found))
    error: BaseException | None = found[1]
    while error is not None:
        text = text.replace(str(error), said(str(error))) if str(error) else text
        error = error.__cause__ or error.__context__
    out.write(text)


def traceback_for_machines(exc_info: tuple[type[BaseException], BaseException, TracebackType | None]) -> Any:
    """The same as data."""
    stacks = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)(exc_info)
    for stack in stacks:
        stack["exc_value"] = said(str(stack["exc_value"]))
    return stacks


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
        plain = structlog.processors.ExceptionRenderer(traceback_for_machines)
        return [clean, plain, hide_links, hide_people, structlog.processors.JSONRenderer()]
    return [clean, hide_links, hide_people, structlog.dev.ConsoleRenderer(exception_formatter=traceback_in_text)]


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
