"""Reading a body: JSON, strictly. Whatever PostgreSQL or a later reader would choke on is refused here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from math import isinf
from typing import IO, Any

from django.conf import settings
from rest_framework.parsers import BaseParser

from rest_contract.problems import Invalid, Problem, field_error

DEEPEST = 32
LONGEST_NUMBER = 100


class StrictJSONParser(BaseParser):
    """UTF-8 JSON without duplicate keys, NaN, NUL characters, lone surrogates or endless nesting."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        return parse_json(_read(stream))


def parse_json(body: bytes) -> Any:
    """The value of a JSON text; raises a Problem with status 400 that says what is wrong."""
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_no_constant,
            parse_int=_integer,
            parse_float=_float,
        )
    except UnicodeDecodeError:
        raise _malformed("The body is not UTF-8.") from None
    except RecursionError:
        raise _malformed(f"The body is nested deeper than {DEEPEST} levels.") from None
    except ValueError as error:
        raise _malformed(f"The body is not JSON: {error}.") from None
    problems = list(_faults(value))
    if problems:
        raise Invalid(*problems[:100])
    return value


def _read(stream: IO[bytes]) -> bytes:
    body = stream.read(settings.REST_BODY_LIMIT + 1)
    if len(body) > settings.REST_BODY_LIMIT:
        raise Problem(413, "too_large", f"A body may have {settings.REST_BODY_LIMIT:,} bytes.")
    return body


def _malformed(detail: str) -> Problem:
    return Problem(400, "malformed", detail, errors=[field_error("", "malformed", detail)])


def _object(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for key, value in pairs:
        if key in members:
            detail = f"The name {key[:60]!r} stands twice in one object."
            raise Invalid(field_error(key[:60].replace("\x00", ""), "duplicate_key", detail))
        members[key] = value
    return members


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON value")


def _integer(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise ValueError("a number is too long")
    return int(text)


def _float(text: str) -> float:
    value = float(text)
    if isinf(value):
        raise ValueError("a number is too large")
    return value


def _faults(value: Any) -> Iterator[dict[str, str]]:
    """What no string or nesting may hold, with the path to it. Iterative: the nesting is the attacker's."""
    waiting: list[tuple[str, Any, int]] = [("", value, 0)]
    while waiting:
        path, item, depth = waiting.pop()
        if isinstance(item, str):
            yield from _text_faults(path, item)
        elif isinstance(item, dict | list):
            if depth >= DEEPEST:
                yield field_error(path, "too_deep", f"Nested deeper than {DEEPEST} levels.")
                continue
            pairs = item.items() if isinstance(item, dict) else enumerate(item)
            for key, child in pairs:
                if isinstance(key, str):
                    yield from _text_faults(path, key)
                if isinstance(child, str | dict | list):
                    name = _printable(str(key)[:60])
                    waiting.append((f"{path}.{name}" if path else name, child, depth + 1))


def _text_faults(path: str, text: str) -> Iterator[dict[str, str]]:
    if "\x00" in text:
        yield field_error(path, "null_characters_not_allowed", "Null characters are not allowed.")
    try:
        text.encode()
    except UnicodeEncodeError:
        yield field_error(path, "surrogate_characters_not_allowed", "Lone surrogate characters are not allowed.")


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode().replace("\x00", "")
