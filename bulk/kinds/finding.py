"""Finding the accounts that the rows of a users file mean: a query per identifying column, whatever the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models.functions import Lower

from accounts.errors import AmbiguousIdentifier
from accounts.models import Alias, User
from bulk.models import ImportRow

KEYS = ("id", "username", "email", "external_id", "employee_number")
CLEAR = "(empty)"


@dataclass
class Finding:
    """What one row means: the account it found, by which column, and the values it brings."""

    row: ImportRow
    key: str = ""
    by_alias: bool = False
    account: User | None = None
    data: dict[str, Any] = field(default_factory=dict)
    profile: dict[str, Any] = field(default_factory=dict)


def read_row(row: ImportRow) -> Finding:
    finding = Finding(row)
    for name, cell in row.cells.items():
        if not cell:
            continue
        value = "" if cell == CLEAR else cell
        if name.startswith("profile."):
            finding.profile[name.removeprefix("profile.")] = value
        elif name != "id":
            finding.data[name] = value
    finding.key = next((name for name in KEYS if row.cells.get(name) not in (None, "", CLEAR)), "")
    return finding


def find_accounts(findings: Sequence[Finding], actor: User) -> None:
    """Set the account of every finding: one query per identifying column, whatever the rows."""
    found: dict[tuple[str, str], set[int]] = {}
    old: dict[tuple[str, str], set[int]] = {}
    for key in KEYS:
        wanted = {_normal(key, finding.row.cells[key]) for finding in findings if finding.key == key}
        wanted.discard("")
        if wanted:
            for value, pk in _present(key, wanted):
                found.setdefault((key, value), set()).add(pk)
            for value, pk in aliases_by_value(wanted) if key != "id" else ():
                old.setdefault((key, value), set()).add(pk)
    ids = {pk for pks in (*found.values(), *old.values()) for pk in pks}
    survivors = {user.pk: user.survivor().pk for user in User.objects.select_related("merged_into").filter(pk__in=ids)}
    seen = {user.pk: user for user in User.objects.present().visible_to(actor).filter(pk__in=set(survivors.values()))}
    for finding in findings:
        if not finding.key:
            finding.row.refuse("", f"Fill one of {', '.join(KEYS)}, so that the account can be found.")
            continue
        place = (finding.key, _normal(finding.key, finding.row.cells[finding.key]))
        _settle_account(finding, found.get(place), old.get(place, set()), survivors, seen)


def _settle_account(
    finding: Finding,
    present: set[int] | None,
    old: set[int],
    survivors: Mapping[int, int],
    seen: Mapping[int, User],
) -> None:
    named = present if present is not None else old
    ends = {survivors[pk] for pk in named}
    finding.by_alias = (bool(named) and named != ends) or (present is None and bool(old))
    known = [seen[pk] for pk in ends if pk in seen]  # whom the actor may not see counts for nobody
    if len(known) > 1:
        finding.row.refuse(finding.key, AmbiguousIdentifier.detail)
    elif known:
        finding.account = known[0]
        finding.row.target = known[0].pk
    elif finding.key in ("id", "external_id", "employee_number") and not _is_new(finding):
        finding.row.refuse(finding.key, "No account is found by this. To add one, give username and e-mail.")


def _is_new(finding: Finding) -> bool:
    return finding.key != "id" and bool(finding.data.get("username")) and bool(finding.data.get("email"))


def _normal(key: str, cell: str) -> str:
    if key == "id":
        return cell if cell.isascii() and cell.isdigit() and len(cell) < 19 else ""
    return cell.lower() if key in ("username", "email") else cell


def _present(key: str, wanted: set[str]) -> list[tuple[str, int]]:
    users = User.objects.present()
    if key == "id":
        return [
            (str(pk), pk) for pk in users.filter(pk__in=[int(value) for value in wanted]).values_list("pk", flat=True)
        ]
    if key in ("username", "email"):
        return list(users.annotate(name=Lower(key)).filter(name__in=wanted).values_list("name", "pk"))
    return list(users.filter(**{f"{key}__in": wanted}).values_list(key, "pk"))


def aliases_by_value(wanted: set[str]) -> list[tuple[str, int]]:
    lowered = {value.lower(): value for value in wanted}
    rows = Alias.objects.annotate(name=Lower("value")).filter(name__in=lowered).values_list("name", "user_id")
    return [(lowered[name], pk) for name, pk in rows]
