"""Old identifiers go on finding the person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Lower

from accounts.merge.profile import resulting
from accounts.models import Alias, User
from merging.handlers import Case, Change, Claim, MergeHandler, Outcome, register

Identifier = tuple[str, str]
Kind = Alias.Kind


@register
class AliasHandler(MergeHandler):
    """The source's earlier aliases move along, then its own identifiers and those that the destination gives up are added."""

    key, section = "aliases", "account"
    claims = (Claim(Alias, "user"),)
    only_moves = False

    def plan(self, case: Case) -> Iterator[Change]:
        source, destination = case.source.pk, case.destination.pk
        given_up = [one for account in (case.source, case.destination) for one in identifiers(account)]
        present = _present(case)
        lower = _lower([value for _, value in (*present, *given_up)])
        aliases = [] if self.claims[0] in case.empty else list(_aliases(source, destination))
        found = {(str(kind), lower[value]) for kind, value in present}
        found |= {(alias.kind, alias.lowered) for alias in aliases if alias.user_id == destination}
        for alias in aliases:
            if alias.user_id == source:
                key = (alias.kind, alias.lowered)
                yield _plan_earlier(case, alias, moves=key not in found)
                found.add(key)
        for kind, value in _without(found, given_up, lower):
            after = {"user_id": destination, "kind": kind, "value": value}
            reason = "finds the destination from now on"
            yield Change(Alias, None, None, after, Outcome.ADDED, reason, what=_what(kind, value))


def _plan_earlier(case: Case, alias: Alias, moves: bool) -> Change:
    source, destination = case.source.pk, case.destination.pk
    return Change(
        Alias,
        alias.pk,
        {"user_id": source},
        {"user_id": destination if moves else source},
        Outcome.MOVED if moves else Outcome.STAYS,
        "still finds the person" if moves else "the destination is found by it already",
        what=_what(alias.kind, alias.value),
    )


def _present(case: Case) -> list[Identifier]:
    """By which the destination itself is found after the merge."""
    there = case.destination
    return [
        (Kind.USERNAME, there.username),
        (Kind.EMAIL, there.email),
        (Kind.EMPLOYEE_NUMBER, resulting(case, "employee_number")),
        (Kind.EXTERNAL_ID, resulting(case, "external_id")),
    ]


def identifiers(account: User) -> list[Identifier]:
    """By what outside systems know an account."""
    return [
        (Kind.USERNAME, account.username),
        (Kind.EMAIL, account.email),
        (Kind.EMPLOYEE_NUMBER, account.employee_number),
        (Kind.EXTERNAL_ID, account.external_id),
    ]


def _aliases(*account_ids: int) -> QuerySet[Any]:
    """Those of the accounts, oldest first, each with its value `lowered`."""
    aliases: QuerySet[Any] = Alias.objects.filter(user__in=account_ids).annotate(lowered=Lower("value")).order_by("pk")
    return aliases


def _without(found: set[Identifier], wanted: Iterable[Identifier], lower: Mapping[str, str]) -> Iterator[Identifier]:
    """Those that aren't blank and aren't found yet, each once."""
    for kind, value in wanted:
        key = (str(kind), lower[value])
        if value and key not in found:
            found.add(key)
            yield str(kind), value


def _lower(values: Sequence[str]) -> dict[str, str]:
    """As the unique index of aliases lowers them, which isn't as Python does for every letter."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT v, lower(v) FROM unnest(%s::text[]) v", [list(values)])
        return dict(cursor.fetchall())


def _what(kind: str, value: str) -> str:
    return f"{Kind(kind).label} {value}"
