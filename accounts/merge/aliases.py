"""Old identifiers go on finding the person."""

from __future__ import annotations

from collections.abc import Iterator

from accounts.merge.profile import resulting
from accounts.models import Alias, User
from merging.handlers import Case, Change, Claim, MergeHandler, Outcome, register

Key = tuple[str, str]
Kind = Alias.Kind


@register
class AliasHandler(MergeHandler):
    """The source's earlier aliases move along, then its own identifiers and those that the destination gives up are added."""

    key, section = "aliases", "account"
    claims = (Claim(Alias, "user"),)

    def plan(self, case: Case) -> Iterator[Change]:
        source, destination = case.source.pk, case.destination.pk
        found = {_key(alias.kind, alias.value) for alias in Alias.objects.filter(user=destination)}
        found |= _present(case)
        for alias in Alias.objects.filter(user=source).order_by("pk"):
            key = _key(alias.kind, alias.value)
            moves = key not in found
            found.add(key)
            yield Change(
                Alias,
                alias.pk,
                {"user_id": source},
                {"user_id": destination if moves else source},
                Outcome.MOVED if moves else Outcome.STAYS,
                "still finds the person" if moves else "the destination is found by it already",
                what=_what(alias.kind, alias.value),
            )
        for kind, value in _given_up(case):
            if _key(kind, value) not in found:
                found.add(_key(kind, value))
                after = {"user_id": destination, "kind": str(kind), "value": value}
                reason = "finds the destination from now on"
                yield Change(Alias, None, None, after, Outcome.ADDED, reason, what=_what(kind, value))


def _present(case: Case) -> set[Key]:
    """By which the destination itself is found after the merge."""
    there = case.destination
    return {
        _key(Kind.USERNAME, there.username),
        _key(Kind.EMAIL, there.email),
        _key(Kind.EMPLOYEE_NUMBER, resulting(case, "employee_number")),
        _key(Kind.EXTERNAL_ID, resulting(case, "external_id")),
    }


def _given_up(case: Case) -> Iterator[tuple[Kind, str]]:
    """The source's identifiers, then the destination's that the merge overwrites."""
    for account in (case.source, case.destination):
        for kind, value in identifiers(account):
            if value:
                yield kind, value


def identifiers(account: User) -> list[tuple[Kind, str]]:
    """By what outside systems know an account."""
    return [
        (Kind.USERNAME, account.username),
        (Kind.EMAIL, account.email),
        (Kind.EMPLOYEE_NUMBER, account.employee_number),
        (Kind.EXTERNAL_ID, account.external_id),
    ]


def _key(kind: str, value: str) -> Key:
    return str(kind), value.lower()


def _what(kind: str, value: str) -> str:
    return f"{Kind(kind).label} {value}"
