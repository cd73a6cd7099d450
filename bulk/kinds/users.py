"""Users: added, or changed column by column. A blank cell leaves a value as it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from accounts.errors import AccountError
from accounts.models import ProfileField, ProfileValue, Role, User
from accounts.services import create_user, lock_to_change, update_user, update_users
from accounts.services.fields import OWN_FIELDS, Problems, clean
from accounts.services.identifiers import FOUND_BY, find_taken, lock_words
from accounts.services.profile import clean_value
from bulk.kinds.base import lost_right, refuse_all, refuse_repeats, words_of
from bulk.kinds.finding import Finding, find_accounts, read_row
from bulk.models import Import, ImportRow

Verdict = ImportRow.Verdict


class UsersKind:
    """Found by the first filled of id, username, email, external_id, employee_number; the others are values."""

    summary = "Add users, and change those who are there. A blank cell leaves a value as it is; (empty) clears it."

    def columns(self) -> list[str]:
        custom = [f"profile.{key}" for key in ProfileField.objects.values_list("key", flat=True)]
        return ["id", *OWN_FIELDS, "status", *custom]

    def required(self) -> list[str]:
        return []

    def judge(self, rows: Sequence[ImportRow], actor: User) -> None:
        findings = [read_row(row) for row in rows]
        find_accounts(findings, actor)
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
        # Nobody else changes these accounts meanwhile, nor takes the actor's right away; their learning goes on.
        lock_to_change(*(row.target for row in rows if row.target), actor_id=actor.pk)
        actor = User.objects.get(pk=actor.pk)
        for row in rows:
            row.verdict, row.differences = "", {}
        if not refuse_all(rows, lost_right(actor)):
            self.judge(rows, actor)
        # All at once and in one order, so that two files can't wait for each other's.
        lock_words(new for row in rows for name, (_, new) in row.differences.items() if name in FOUND_BY)
        plain = [row for row in rows if row.verdict == Verdict.CHANGED and set(row.differences) <= set(OWN_FIELDS)]
        if not _write_plain(plain, actor, origin):
            plain = []  # something changed at this very moment: find out for which
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
    """Identifiers that another account signs in with, or that find another person."""
    by_prefix = {f"{place}.": finding for place, finding in enumerate(findings)}
    wanted = [
        (finding.account or User(), {name: new for name, (_, new) in finding.row.differences.items()}, prefix)
        for prefix, finding in by_prefix.items()
    ]
    for problem in find_taken(wanted):
        place, _, name = problem["field"].partition(".")
        row = by_prefix[f"{place}."].row
        if row.verdict != Verdict.REFUSED:
            row.refuse(name, problem["detail"])


def _write_plain(rows: Sequence[ImportRow], actor: User, origin: str) -> bool:
    """Write the built-in values of many accounts at once; whether that went well for all of them."""
    changes = {row.target or 0: {name: new for name, (_, new) in row.differences.items()} for row in rows}
    try:
        update_users(actor=actor, changes=changes, origin=origin)
    except AccountError:
        return False
    return True


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
        row.refuse(first["field"], first["detail"] if first["field"] else words_of(error))
