"""Old identifiers go on finding the person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.db import connection
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

    def plan(self, case: Case) -> Iterator[Change]:
        source, destination = case.source.pk, case.destination.pk
        found = _held_by(destination) | _lowered(_present(case))
        for alias in Alias.objects.filter(user=source).annotate(lowered=Lower("value")).order_by("pk"):
            key = (alias.kind, alias.lowered)
            yield _plan_earlier(case, alias, moves=key not in found)
            found.add(key)
        given_up = [one for account in (case.source, case.destination) for one in identifiers(account)]
        for kind, value in _without(found, given_up):
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


def _held_by(account_id: int) -> set[Identifier]:
    aliases = Alias.objects.filter(user=account_id)
    return {(kind, lowered) for kind, lowered in aliases.values_list("kind", Lower("value"))}


def _without(found: set[Identifier], wanted: Sequence[Identifier]) -> Iterator[Identifier]:
    """Those that aren't blank and aren't found yet, each once."""
    lower = _lower([value for _, value in wanted])
    for kind, value in wanted:
        key = (str(kind), lower[value])
        if value and key not in found:
            found.add(key)
            yield str(kind), value


def _lowered(wanted: Sequence[Identifier]) -> set[Identifier]:
    lower = _lower([value for _, value in wanted])
    return {(str(kind), lower[value]) for kind, value in wanted}


def _lower(values: Sequence[str]) -> dict[str, str]:
    """As the unique index of aliases lowers them, which isn't as Python does for every letter."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT v, lower(v) FROM unnest(%s::text[]) v", [list(values)])
        return dict(cursor.fetchall())


def _what(kind: str, value: str) -> str:
    return f"{Kind(kind).label} {value}"
