"""The account's own part of the reference model: profile, branches, aliases, and what becomes of the source."""

from __future__ import annotations

from typing import Any

from tests.reference.question import Question, Row, World, of_account

FIELDS = (
    "first_name",
    "last_name",
    "phone",
    "job_title",
    "language",
    "timezone",
    "employee_number",
    "external_id",
    "birth_date",
)
IDENTIFIERS = ("username", "email", "employee_number", "external_id")


def settle_account(after: World, ask: Question) -> None:
    accounts = {row["id"]: row for row in after["users"]}
    source, destination = accounts[ask.source], accounts[ask.destination]
    taken = dict(destination)
    for name in FIELDS:
        if _side(name, source[name], ask) == "source":
            taken[name] = source[name]
    _custom_fields(after, ask)
    _aliases(after, ask, source, destination, taken)
    destination.update(taken)
    source["merged_into_id"] = source["merged_into_id"] or ask.destination
    if ask.best_record:
        if ask.merge_profile:
            _branches(after, ask)
    else:
        source["status"] = "inactive"


def _side(name: str, value: Any, ask: Question) -> str:
    if not (ask.best_record and ask.merge_profile):
        return "destination"
    return ask.fields.get(name) or ("source" if value else "destination")


def _custom_fields(after: World, ask: Question) -> None:
    keys = {row["id"]: row["key"] for row in after["profile_fields"]}
    values = after["profile_values"]
    theirs = {row["field_id"]: row for row in of_account(values, ask.source)}
    own = {row["field_id"]: row for row in of_account(values, ask.destination)}
    for pk, key in keys.items():
        value = theirs[pk]["value"] if pk in theirs else ""
        if _side(key, value, ask) == "source":
            if pk in own:
                own[pk]["value"] = value
            elif pk in theirs:
                theirs[pk]["user_id"] = ask.destination


def _branches(after: World, ask: Question) -> None:
    own = {row["branch_id"] for row in of_account(after["branch_memberships"], ask.destination)}
    for row in of_account(after["branch_memberships"], ask.source):
        if row["branch_id"] not in own:
            row["user_id"] = ask.destination
            row["merged_from_id"] = row["merged_from_id"] or ask.source


def _aliases(after: World, ask: Question, source: Row, destination: Row, taken: Row) -> None:
    """What found either account before finds the destination after."""
    aliases = after["aliases"]
    known = {(row["kind"], row["value"].lower()) for row in of_account(aliases, ask.destination)}
    known |= {(kind, taken[kind].lower()) for kind in IDENTIFIERS}
    for row in sorted(of_account(aliases, ask.source), key=lambda row: row["id"]):
        if (row["kind"], row["value"].lower()) not in known:
            known.add((row["kind"], row["value"].lower()))
            row["user_id"] = ask.destination
    for account in (source, destination):
        for kind in IDENTIFIERS:
            value = account[kind]
            if value and (kind, value.lower()) not in known:
                known.add((kind, value.lower()))
                aliases.append({"user_id": ask.destination, "kind": kind, "value": value})
