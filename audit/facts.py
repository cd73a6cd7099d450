"""What an audit entry may hold: ids, numbers, codes and names of fields. No sentence, no name, no typed value.

Entries are never changed, so nothing in them could be erased later. A reason, a title, a file's name stand on the row
that the entry names by its id.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# The only keys whose values are words, each a code of this portal or the name of one of its fields.
WORDS = frozenset(
    {
        "action",
        "code",
        "events",
        "error",
        "fields",
        "filters",
        "kind",
        "method",
        "policy",
        "resource",
        "role",
        "scopes",
        "status",
        "taken_over",
        "view",
    }
)
KEY = re.compile(r"[a-z][a-z_]{0,39}")
CODE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,99}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]{8,15}([+-]\d\d:\d\d|Z)")
NOT_IN_ORIGIN = re.compile(r"[^A-Za-z0-9_.:% -]")


class NotPlain(ValueError):
    """An audit entry was to hold more than ids, numbers, codes and field names: a fault of the code that records."""


def plain(detail: Mapping[str, Any] | None) -> dict[str, Any]:
    """The detail of an entry, as it may be stored. Raises NotPlain, naming the key and never the value."""
    checked = {name: _list(value) for name, value in (detail or {}).items()}
    for name, value in checked.items():
        if not KEY.fullmatch(name):
            raise NotPlain("the name of a fact isn't a word")
        for one in value if isinstance(value, list) else [value]:
            if not (_is_number(one) or (name in WORDS and _is_code(one))):
                raise NotPlain(f"{name} holds something else than an id, a number or a code")
    return checked


def plain_event(payload: Mapping[str, Any]) -> dict[str, Any]:
    """What leaves the portal: as `plain`, and moments. Raises NotPlain."""
    moments = {name: value for name, value in payload.items() if isinstance(value, str) and MOMENT.fullmatch(value)}
    return plain({name: value for name, value in payload.items() if name not in moments}) | moments


def plain_origin(origin: str) -> str:
    """From where: an address, a token's id or a command's name; whatever else stands there is left out."""
    return NOT_IN_ORIGIN.sub("", origin)[:100]


def _list(value: Any) -> Any:
    return list(value) if isinstance(value, tuple | set | frozenset) else value


def _is_number(value: Any) -> bool:
    return value is None or isinstance(value, int)


def _is_code(value: Any) -> bool:
    return isinstance(value, str) and CODE.fullmatch(value) is not None
