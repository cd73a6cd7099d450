"""Finding accounts by the beginning of what one knows: name, username, e-mail address, employee number.

Each key is an expression with a b-tree of its own in byte order, so a probe reads a short range of one index and
stops. A text-search index or `icontains` would have to read and sort everything that matches.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Coalesce, Collate, Concat, Lower

HIGHEST = "\U0010ffff"
LONGEST = 100
NEAREST = 200  # how many matches per key are looked through before all that somebody sees


def _key(expression: str | Func) -> Collate:
    return Collate(Lower(expression), "C")


def _joined(first: str, second: str) -> Concat:
    return Concat(F(first), Value(" "), F(second), output_field=models.TextField())


KEYS: Mapping[str, Collate] = {
    "name": _key(_joined("last_name", "first_name")),
    "first_name": _key(_joined("first_name", "last_name")),
    "username": _key("username"),
    "email": _key("email"),
    "employee_number": _key("employee_number"),
}

LAST_SIGN_IN = Coalesce(F("last_login"), Value(datetime(1970, 1, 1, tzinfo=UTC)))

INDEXES = [models.Index(key, "id", name=f"users_by_{name}") for name, key in KEYS.items()]
INDEXES.append(models.Index(LAST_SIGN_IN, "id", name="users_by_last_sign_in"))


def normalised(text: str) -> str:
    """What a probe looks for: lower case, single spaces, "Doe, Jane" like "Doe Jane"."""
    return " ".join(text.replace("\x00", "").replace(",", " ").lower().split())[:LONGEST]


def begins_with(key: str, text: str) -> Q:
    """The condition on the annotation `key`, as a range that its index can answer."""
    return Q(**{f"{key}__gte": text, f"{key}__lt": text + HIGHEST})
