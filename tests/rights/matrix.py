"""The rights matrix as data: role and right (columns) by door, operation and subject (rows), and the scopes of tokens.

Outcomes are letters, in the order of the actors: `o` allowed, `n` refused, `h` as if it didn't exist, `w` not signed in,
`m` no such method. A row's scopes are those of which a token needs one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db import models

from tests.rights.cast import ACTORS, SCOPES, Cast

HOLE = re.compile(r"<(?:\w+:)?(\w+)>")


@dataclass(frozen=True)
class Operation:
    """One address and method, and what is sent. `$user` and `$app.Model` in the body are ids of the subject's."""

    door: str
    method: str
    route: str
    target: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)
    query: str = ""
    what: str = ""
    is_list: bool = False

    def request(self, cast: Cast, subject: str) -> tuple[str, dict[str, Any]]:
        """The path with its ids and the body with its ids."""
        path = HOLE.sub(lambda hole: str(value_of(self.target, cast, subject, hole[1])), self.route)
        query = "&".join(str(value_of(part, cast, subject)) for part in [self.query] if part)
        query = query.replace("$user", str(cast.subjects[subject].pk) if subject else "")
        return f"/{path}{'?' + query if query else ''}", {
            name: value_of(value, cast, subject) for name, value in self.body.items()
        }


@dataclass(frozen=True)
class Cell:
    """One row of the matrix, for one subject."""

    operation: Operation
    subject: str
    outcomes: str
    scopes: tuple[str, ...] = ()
    by_token: bool = False
    late: tuple[str, ...] = ()  # scopes of which the service that writes decides, once it has found the account

    @property
    def id(self) -> str:
        one = self.operation
        return " ".join(part for part in (one.door, one.method, one.route, one.what, self.subject) if part)

    def expected(self) -> Iterator[tuple[str, str, str]]:
        """Actor, credential and outcome, for each cell of the row."""
        for actor, letter in zip(ACTORS, self.outcomes, strict=True):
            yield actor, "session", letter
        if not self.by_token:
            return
        for scope in SCOPES:
            yield "superadmin", scope, self._by_token("superadmin", scope)
        for actor in ("editor", "demoted"):
            yield actor, "write", self._by_token(actor, "write")

    def _by_token(self, actor: str, scope: str) -> str:
        """A token does what its owner may and its scope names."""
        letter = self.outcomes[list(ACTORS).index(actor)]
        if letter == "w" or scope in self.scopes:
            return letter
        return "h" if letter == "h" and scope in self.late else "n"


def value_of(value: Any, cast: Cast, subject: str, hole: str = "") -> Any:
    """What stands for `$user`, `$app.Model` and the like; everything else stands for itself."""
    if value == "$user":
        return cast.subjects[subject].pk
    if value == "$other":
        return cast.row(apps.get_model("accounts.User")).pk
    if isinstance(value, list):
        return [value_of(one, cast, subject) for one in value]
    if isinstance(value, str) and value.startswith("$"):
        model: type[models.Model] = apps.get_model(value[1:].rstrip("*"))
        return cast.row(model, "" if value.endswith("*") else subject).pk
    if hole == "kind" and value:
        return value
    if hole in WORDS:
        return WORDS[hole]
    return value


WORDS = {"handle": "none", "token": "x-y", "content_type_id": 1, "app_label": "merging", "url": "nothing/"}
