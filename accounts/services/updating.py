"""Plain values of many accounts at once: what update_user does for one, in a constant number of statements."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, connection, transaction

import audit.services
from accounts.errors import AccountDeleted, AccountMerged, FieldsInvalid, UnknownAccount
from accounts.models import Status, User
from accounts.services.addresses import note_changed_addresses
from accounts.services.authority import as_now, check_change
from accounts.services.fields import OWN_FIELDS, Problems, clean
from accounts.services.identifiers import as_problem, check_all_free
from accounts.services.locks import lock_to_change
from accounts.services.permissions import check_writer

Changes = Mapping[int, Mapping[str, Any]]
RELEASABLE = frozenset({"username", "email"})


def update_users(*, actor: User, changes: Changes, origin: str = "") -> None:
    """Change built-in fields, by account id and field; all or none. Needs Users/Edit over each of the accounts.

    Raises FieldsInvalid, which names fields by their account (`12.email`), UnknownAccount, NotAllowed, AccountDeleted
    and AccountMerged.
    """
    if not changes:
        return
    with transaction.atomic():
        lock_to_change(*changes, actor_id=actor.pk)
        check_writer(actor.pk, {account: account for account in changes})
        accounts = _changeable(as_now(actor), changes)
        values = _cleaned(accounts, changes)
        told = [(pk, {"fields": sorted(new)}) for pk, new in sorted(values.items())]
        note_changed_addresses((pk, accounts[pk].email, new["email"]) for pk, new in values.items() if "email" in new)
        _write({pk: _with_state(accounts[pk], new) for pk, new in values.items()})
        audit.services.record_all("user.updated", told, actor_id=actor.pk, origin=origin)


def _changeable(actor: User, changes: Changes) -> dict[int, User]:
    accounts: dict[int, User] = User.objects.in_bulk(list(changes))
    if unknown := changes.keys() - accounts.keys():
        raise UnknownAccount(account_ids=unknown)
    for pk, account in accounts.items():
        if account.status == Status.DELETED:
            raise AccountDeleted
        if account.merged_into_id and account.status == Status.INACTIVE and changes[pk].keys() - RELEASABLE:
            raise AccountMerged
        check_change(actor, account, changes[pk])
    return accounts


def _cleaned(accounts: Mapping[int, User], changes: Changes) -> dict[int, dict[str, Any]]:
    """The values that differ, ready to be stored."""
    found, errors = {}, []
    for pk, data in changes.items():
        problems = Problems()
        cleaned = clean({name: value for name, value in data.items() if name in OWN_FIELDS}, problems)
        for name in data.keys() - set(OWN_FIELDS):
            problems.add(name, "unknown_field", "This field can't be changed for many accounts at once.")
        if cleaned.get("username", ...) == "":
            problems.add("username", "blank", "An account needs a username.")
        found[pk] = {name: value for name, value in cleaned.items() if getattr(accounts[pk], name) != value}
        errors += [{**problem, "field": f"{pk}.{problem['field']}"} for problem in problems.errors]
    errors += check_all_free([(accounts[pk], new, f"{pk}.") for pk, new in found.items()])
    if errors:
        raise FieldsInvalid(errors[:100])
    return {pk: new for pk, new in found.items() if new}


def _with_state(account: User, new: Mapping[str, Any]) -> dict[str, Any]:
    """A new e-mail address isn't verified."""
    is_new = "email" in new and new["email"].lower() != account.email.lower()
    return {**new, "email_state": "unverified"} if is_new else dict(new)


def _write(values: Changes) -> None:
    names = sorted(set().union(*values.values()))
    if not names:
        return
    sets = ", ".join(f'"{name}" = (q.after)."{name}"' for name in names)
    sql = f"""
        UPDATE accounts_user t SET {sets}
        FROM (SELECT u.id, jsonb_populate_record(u, v.values) AS after
              FROM jsonb_to_recordset(%s::jsonb) v(id bigint, values jsonb) JOIN accounts_user u ON u.id = v.id) q
        WHERE t.id = q.id
    """  # noqa: S608  (names of our own columns)
    rows = json.dumps([{"id": pk, "values": new} for pk, new in values.items()], default=str)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, [rows])
    except IntegrityError as error:  # somebody took a name at this very moment
        raise as_problem(error) from error
