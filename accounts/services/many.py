"""Many new accounts at once: what create_user does for one, in a constant number of statements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction

import audit.services
from accounts.errors import FieldsInvalid
from accounts.models import (
    AssignedBranch,
    AssignedUser,
    Branch,
    BranchMembership,
    ManagerAssignment,
    ProfileField,
    ProfileValue,
    Role,
    User,
)
from accounts.services.authority import check_creation
from accounts.services.fields import Problems, clean
from accounts.services.identifiers import FOUND_BY, check_sign_in, clash, clashing, lock_words, wishes_of
from accounts.services.profile import clean_value
from accounts.services.relations import own_branches
from accounts.services.users import check_may_create, check_privileged, check_required, fill

# Which of these words somebody signs in with, or did before a merge. PostgreSQL lowers them, as its unique index does.
TAKEN = """
    SELECT v FROM unnest(%s::text[]) v
    WHERE EXISTS (SELECT FROM accounts_user WHERE lower(username) = lower(v))
       OR EXISTS (SELECT FROM accounts_user WHERE lower(email) = lower(v) AND email <> '')
       OR EXISTS (SELECT FROM accounts_alias WHERE lower(value) = lower(v) AND kind IN ('username', 'email'))
"""
RELATIONS: Mapping[str, tuple[type[Any], str, str]] = {
    "branches": (BranchMembership, "user", "branch"),
    "managers": (ManagerAssignment, "user", "manager"),
    "assigned_users": (AssignedUser, "power_user", "user"),
    "assigned_branches": (AssignedBranch, "power_user", "branch"),
}


@dataclass
class _New:
    """One account on its way."""

    data: Mapping[str, Any]
    account: User = field(default_factory=User)
    problems: Problems = field(default_factory=Problems)
    values: dict[int, str] = field(default_factory=dict)

    def ids(self, name: str) -> list[int]:
        return list(dict.fromkeys(self.data.get(name) or ()))


def create_users(*, actor: User, rows: Sequence[Mapping[str, Any]], origin: str = "") -> list[User]:
    """Make accounts from the fields of the REST contract, relations as lists of ids; all or none, in their order.

    Raises FieldsInvalid, which names fields by their place (`3.email`), and NotAllowed.
    """
    with transaction.atomic():
        new = [_New(data) for data in rows]
        _check_rights(actor, new)
        for one in new:
            check_required(one.data, one.problems)
            fill(one.account, clean(one.data, one.problems), one.data, one.problems)
        _check_identifiers(new)
        _check_profiles(new)
        _check_relations(actor, new)
        _refuse(new)
        User.objects.bulk_create([one.account for one in new])
        _store_relations(new)
        acts = [(one.account.pk, {"role": one.account.role}) for one in new]
        audit.services.record_all("user.created", acts, actor_id=actor.pk, origin=origin)
    return [one.account for one in new]


def _check_rights(actor: User, new: Sequence[_New]) -> None:
    """Those of all rows; asked once for rows that are alike in what they need."""
    kinds = {bool(one.data.get("branches")): one.data for one in new}
    for data in kinds.values():
        actor = check_may_create(actor, data)
    for one in new:
        check_privileged(actor, one.data)
        check_creation(actor, one.data)


def _check_identifiers(new: Sequence[_New]) -> None:
    wishes = [
        wish for one in new for wish in wishes_of(one.account, {name: getattr(one.account, name) for name in FOUND_BY})
    ]
    lock_words(wish.word for wish in wishes)
    clashing_with = {id(wish.account): wish for wish in clashing(wishes)}
    words = {word for one in new for word in (one.account.username, one.account.email) if word}
    with connection.cursor() as cursor:
        cursor.execute(TAKEN, [list(words)])
        taken = {word for (word,) in cursor.fetchall()}
    met: set[str] = set()
    for one in new:
        if id(one.account) in clashing_with:
            one.problems.errors.append(clash(clashing_with[id(one.account)]))
        if {one.account.username, one.account.email} & taken:
            check_sign_in(one.account, ("username", "email"), one.problems)
        own = {name: getattr(one.account, name).lower() for name in ("username", "email")}
        for name, word in own.items():
            if word and word in met:
                one.problems.add(name, "unique", "Another row has it too.")
        met |= set(own.values())


def _check_profiles(new: Sequence[_New]) -> None:
    keys = {str(key) for one in new for key in (one.data.get("profile") or {})}
    found = {known.key: known for known in ProfileField.objects.filter(key__in=keys)} if keys else {}
    for one in new:
        for key, raw in (one.data.get("profile") or {}).items():
            if key not in found:
                detail = "There is no custom field with this key."
                one.problems.add(f"profile.{key!s:.60}", "unknown_field", detail)
                continue
            text = clean_value(found[key], raw, one.problems)
            if text:
                one.values[found[key].pk] = text


def _check_relations(actor: User, new: Sequence[_New]) -> None:
    own = own_branches(actor)
    branches = set(_present(Branch.objects.all(), new, "branches", "assigned_branches"))
    users = set(_present(User.objects.present().visible_to(actor), new, "managers", "assigned_users"))
    for one in new:
        known = {"branches": branches if own is None else branches & own, "managers": users}
        known |= {"assigned_users": users, "assigned_branches": branches}
        for name, ids in known.items():
            if set(one.ids(name)) - ids:
                one.problems.add(name, "unknown", "One of these doesn't exist, or isn't yours to name.")
            elif name.startswith("assigned") and one.ids(name) and one.account.role != Role.POWER_USER:
                one.problems.add(name, "not_a_power_user", "Only power users have something assigned to them.")


def _present(rows: Any, new: Iterable[_New], *names: str) -> Iterator[int]:
    wanted = {pk for one in new for name in names for pk in one.ids(name)}
    yield from rows.filter(pk__in=wanted).values_list("pk", flat=True) if wanted else ()


def _refuse(new: Sequence[_New]) -> None:
    errors = [
        {**problem, "field": f"{place}.{problem['field']}"}
        for place, one in enumerate(new)
        for problem in one.problems.errors
    ]
    if errors:
        raise FieldsInvalid(errors[:100])


def _store_relations(new: Sequence[_New]) -> None:
    for name, (model, mine, other) in RELATIONS.items():
        model._default_manager.bulk_create(
            model(**{f"{mine}_id": one.account.pk, f"{other}_id": pk}) for one in new for pk in one.ids(name)
        )
    ProfileValue.objects.bulk_create(
        ProfileValue(user=one.account, field_id=key, value=text) for one in new for key, text in one.values.items()
    )
