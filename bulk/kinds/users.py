"""Users: added, or changed column by column. A blank cell leaves a value as it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.db.models.functions import Lower

import audit.services
from accounts.errors import AccountError
from accounts.models import Alias, ProfileField, ProfileValue, Right, Role, User
from accounts.services import create_user, update_user
from accounts.services.fields import OWN_FIELDS, Problems, clean
from accounts.services.profile import clean_value
from bulk.kinds.base import refuse_repeats
from bulk.models import Import, ImportRow

KEYS = ("id", "username", "email", "external_id", "employee_number")
CLEAR = "(empty)"
Verdict = ImportRow.Verdict


@dataclass
class Finding:
    """What one row means: the account it found, by which column, and the values it brings."""

    row: ImportRow
    key: str = ""
    by_alias: bool = False
    account: User | None = None
    data: dict[str, Any] = field(default_factory=dict)
    profile: dict[str, Any] = field(default_factory=dict)


class UsersKind:
    """Found by the first filled of id, username, email, external_id, employee_number; the others are values."""

    summary = "Add users, and change those who are there. A blank cell leaves a value as it is; (empty) clears it."

    def columns(self) -> list[str]:
        custom = [f"profile.{key}" for key in ProfileField.objects.values_list("key", flat=True)]
        return ["id", *OWN_FIELDS, "status", *custom]

    def required(self) -> list[str]:
        return []

    def judge(self, rows: Sequence[ImportRow], actor: User) -> None:
        findings = [_read(row) for row in rows]
        _find_accounts(findings, actor)
        held = _held_values(findings)
        fields = {item.key: item for item in ProfileField.objects.all()}
        for finding in findings:
            _compare(finding, held, fields, actor)
        _refuse_clashes([finding for finding in findings if finding.row.verdict in (Verdict.ADDED, Verdict.CHANGED)])

    def settle(self, file: Import) -> None:
        refuse_repeats(file, "target", "", "The same account stands in line %s already. Keep one of the two rows.")
        for name in ("username", "email"):
            key = f"lower(r.differences->'{name}'->>1)"
            refuse_repeats(file, key, name, f"This {name} stands in line %s already. Give each account its own.")

    def run(self, rows: Sequence[ImportRow], actor: User, origin: str) -> None:
        """Plain values in one statement for all rows; what has more to it, and what clashes, row by row."""
        ids = sorted(row.target for row in rows if row.target)
        # Nobody else changes these accounts meanwhile, but their learning goes on.
        list(User.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk").values_list("pk"))
        for row in rows:
            row.verdict, row.differences = "", {}
        self.judge(rows, actor)
        plain = [row for row in rows if row.verdict == Verdict.CHANGED and set(row.differences) <= set(OWN_FIELDS)]
        try:
            with transaction.atomic():
                _write_plain(plain, actor, origin)
        except IntegrityError:
            plain = []  # somebody took a name at this very moment: find out which
        for row in rows:
            if row.verdict in (Verdict.ADDED, Verdict.CHANGED) and row not in plain:
                _write_one(row, actor, origin)
            row.outcome = row.verdict

    def listing(self, actor: User) -> Iterator[Iterable[object]]:
        keys = list(ProfileField.objects.values_list("key", flat=True))
        users = User.objects.present().visible_to(actor).order_by("pk")
        for batch in _batches(users):
            values: dict[int, dict[str, str]] = {}
            for value in ProfileValue.objects.filter(user__in=batch).select_related("field"):
                values.setdefault(value.user_id, {})[value.field.key] = value.value
            for user in batch:
                custom = values.get(user.pk, {})
                yield [user.pk, *(getattr(user, name) for name in (*OWN_FIELDS, "status")), *map(custom.get, keys)]


def _batches(users: QuerySet[User]) -> Iterator[list[User]]:
    last = 0
    while batch := list(users.filter(pk__gt=last)[:2000]):
        yield batch
        last = batch[-1].pk


def _read(row: ImportRow) -> Finding:
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


def _find_accounts(findings: Sequence[Finding], actor: User) -> None:
    """Set the account of every finding: one query per identifying column, whatever the rows."""
    found: dict[tuple[str, str], set[int]] = {}
    old: dict[tuple[str, str], set[int]] = {}
    for key in KEYS:
        wanted = {_normal(key, finding.row.cells[key]) for finding in findings if finding.key == key}
        wanted.discard("")
        if wanted:
            for value, pk in _present(key, wanted):
                found.setdefault((key, value), set()).add(pk)
            for value, pk in _aliases(wanted) if key != "id" else ():
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
    if len(ends) > 1:
        finding.row.refuse(finding.key, "Several accounts answer to this. Give the id of the one you mean.")
    elif ends and (account := seen.get(next(iter(ends)))):
        finding.account = account
        finding.row.target = account.pk
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


def _aliases(wanted: set[str]) -> list[tuple[str, int]]:
    lowered = {value.lower(): value for value in wanted}
    rows = Alias.objects.annotate(name=Lower("value")).filter(name__in=lowered).values_list("name", "user_id")
    return [(lowered[name], pk) for name, pk in rows]


def _held_values(findings: Sequence[Finding]) -> dict[tuple[int, str], str]:
    accounts = [finding.account.pk for finding in findings if finding.account and finding.profile]
    rows = ProfileValue.objects.filter(user__in=accounts).values_list("user_id", "field__key", "value")
    return {(user, key): value for user, key, value in rows}


def _compare(
    finding: Finding, held: Mapping[tuple[int, str], str], fields: Mapping[str, ProfileField], actor: User
) -> None:
    row, account = finding.row, finding.account
    if row.verdict:
        return
    problems = Problems()
    if finding.by_alias:  # the cell is an old identifier of this account, not a new one
        finding.data.pop(finding.key, None)
    cleaned = clean(finding.data, problems)
    custom = {key: clean_value(fields[key], value, problems) for key, value in finding.profile.items()}
    if account is None:
        _check_new(finding, problems, actor)
    elif account.role != Role.LEARNER and not actor.is_superadmin:
        row.refuse("", "Only a superadmin may change a power user or superadmin.")
        return
    elif cleaned.get("username") == "":
        problems.add("username", "blank", "An account needs a username.")
    if problems.errors:
        row.refuse(problems.errors[0]["field"], problems.errors[0]["detail"])
        return
    row.differences = _differences(account, cleaned, custom, held)
    row.verdict = Verdict.ADDED if account is None else Verdict.CHANGED if row.differences else Verdict.UNCHANGED


def _differences(
    account: User | None,
    cleaned: Mapping[str, Any],
    custom: Mapping[str, str | None],
    held: Mapping[tuple[int, str], str],
) -> dict[str, list[Any]]:
    """The values before and after of the columns that differ; before is blank for a new account."""
    pairs = {name: (getattr(account, name) if account else "", value) for name, value in cleaned.items()}
    for key, value in custom.items():
        pairs[f"profile.{key}"] = (held.get((account.pk, key), "") if account else "", value)
    return {name: [_plain(before), _plain(after)] for name, (before, after) in pairs.items() if before != after}


def _check_new(finding: Finding, problems: Problems, actor: User) -> None:
    for name in ("username", "email"):
        if not finding.data.get(name):
            problems.add(name, "required", f"No account is found by {finding.key}; a new one needs username and email.")
    if not actor.is_superadmin:
        problems.add("", "not_allowed", "No such account is yours to change, and adding users takes a superadmin here.")


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def _refuse_clashes(findings: Sequence[Finding]) -> None:
    """Usernames and e-mail addresses that another account signs in with, or that still find another person."""
    wanted = {
        str(change[1]).lower()
        for finding in findings
        for name, change in finding.row.differences.items()
        if name in ("username", "email") and change[1]
    }
    if not wanted:
        return
    holders: dict[str, set[int]] = {}
    for name in ("username", "email"):
        for value, pk in User.objects.annotate(name=Lower(name)).filter(name__in=wanted).values_list("name", "pk"):
            holders.setdefault(value, set()).add(pk)
    for value, pk in _aliases(wanted):
        holders.setdefault(value, set()).add(pk)
    for finding in findings:
        for name in ("username", "email"):
            value = str(finding.row.differences.get(name, ["", ""])[1]).lower()
            if value and holders.get(value, set()) - {finding.row.target}:
                finding.row.refuse(name, f"This {name} is in use by another account.")


def _write_plain(rows: Sequence[ImportRow], actor: User, origin: str) -> None:
    """Write the built-in values of many accounts at once, with their audit entries."""
    users = User.objects.in_bulk([row.target for row in rows])
    names: set[str] = set()
    for row in rows:
        user = users[row.target]
        for name, (_, after) in row.differences.items():
            setattr(user, name, User._meta.get_field(name).to_python(after))  # type: ignore[union-attr]
            names.add(name)
        if "email" in row.differences:
            user.email_state = "unverified"
            names.add("email_state")
    if names:
        User.objects.bulk_update(users.values(), sorted(names), batch_size=1000)
        told = [(row.target, {"fields": sorted(row.differences)}) for row in rows if row.target]
        audit.services.record_all("user.updated", told, actor_id=actor.pk, origin=origin)


def _write_one(row: ImportRow, actor: User, origin: str) -> None:
    data: dict[str, Any] = {name: after for name, (_, after) in row.differences.items() if "." not in name}
    custom = {name[8:]: after for name, (_, after) in row.differences.items() if name.startswith("profile.")}
    if custom:
        data["profile"] = custom
    try:
        with transaction.atomic():
            if row.verdict == Verdict.ADDED:
                row.target = create_user(actor=actor, data=data, origin=origin).pk
            elif row.target:
                update_user(actor=actor, account_id=row.target, data=data, origin=origin)
    except AccountError as error:
        first = getattr(error, "errors", [{"field": "", "detail": error.detail}])[0]
        row.refuse(first["field"], first["detail"])


def may_import(actor: User) -> bool:
    """Whether this person may upload files of users."""
    return actor.has_right(Right.VIEW) and actor.has_right(Right.EDIT)
