"""What hangs on an account: custom profile values, branches, managers, and what is assigned to a power user."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.db.models import Model, QuerySet

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
from accounts.services.fields import Problems
from accounts.services.profile import clean_value
from accounts.services.text import is_storable

MOST = 10_000


def own_branches(actor: User | None) -> set[int] | None:
    """The branches that a power user may put people in; None: any."""
    if actor is None or actor.is_superadmin:
        return None
    tops = AssignedBranch.objects.filter(power_user=actor).values_list("branch_id", flat=True)
    return Branch.ids_with_descendants(tops)


def set_relations(actor: User | None, account: User, data: Mapping[str, Any], problems: Problems) -> list[str]:
    """Bring the account's relations to what `data` says, each a whole list; answers those that changed."""
    changed = []
    if "profile" in data and _set_profile(account, data["profile"], problems):
        changed.append("profile")
    for name, setter in SETTERS.items():
        if name in data:
            wanted = _ids(name, data[name], problems)
            if wanted is not None and setter(actor, account, wanted, problems):
                changed.append(name)
    return changed


def _ids(name: str, value: Any, problems: Problems) -> set[int] | None:
    if isinstance(value, list | tuple | set) and len(value) <= MOST and all(_is_id(item) for item in value):
        return set(value)
    problems.add(name, "invalid", "Give a list of ids.")
    return None


def _is_id(item: Any) -> bool:
    return isinstance(item, int) and not isinstance(item, bool) and 0 < item < 2**63


def _set_profile(account: User, values: Any, problems: Problems) -> bool:
    """Set the named custom fields and leave the others; a blank value takes a field away."""
    if not isinstance(values, Mapping) or not all(isinstance(key, str) for key in values):
        problems.add("profile", "invalid", "Give an object of custom field keys and values.")
        return False
    fields = {
        field.key: field for field in ProfileField.objects.filter(key__in=[key for key in values if is_storable(key)])
    }
    held = {value.field_id: value for value in ProfileValue.objects.filter(user=account)}
    changed = False
    for key, raw in values.items():
        field = fields.get(key)
        if field is None:
            problems.add(f"profile.{key:.60}", "unknown_field", "There is no custom field with this key.")
            continue
        text = clean_value(field, raw, problems)
        if text is not None and text != (held[field.pk].value if field.pk in held else ""):
            changed = True
            _keep(account, field, text)
    return changed


def _keep(account: User, field: ProfileField, text: str) -> None:
    if text:
        ProfileValue.objects.update_or_create(user=account, field=field, defaults={"value": text})
    else:
        ProfileValue.objects.filter(user=account, field=field).delete()


def _set_branches(actor: User | None, account: User, wanted: set[int], problems: Problems) -> bool:
    own = own_branches(actor)
    here = set(BranchMembership.objects.filter(user=account).values_list("branch_id", flat=True))
    known = set(Branch.objects.filter(pk__in=wanted).values_list("pk", flat=True))
    touched = here ^ wanted
    if wanted - known or (own is not None and touched - own):
        problems.add("branches", "unknown", "One of these branches doesn't exist, or isn't yours to assign.")
        return False
    return _replace(BranchMembership.objects.filter(user=account), "branch_id", here, wanted, {"user_id": account.pk})


def _set_managers(actor: User | None, account: User, wanted: set[int], problems: Problems) -> bool:
    rows = ManagerAssignment.objects.filter(user=account)
    here = set(rows.values_list("manager_id", flat=True))
    wanted = wanted | _unseen(actor, here)  # nobody takes away those whom they don't know of
    if account.pk in wanted:
        problems.add("managers", "own_account", "Nobody is their own manager.")
        return False
    if _unseen(actor, wanted - here):
        problems.add("managers", "unknown", "One of these managers doesn't exist.")
        return False
    return _replace(rows, "manager_id", here, wanted, {"user_id": account.pk})


def _set_assigned_users(actor: User | None, account: User, wanted: set[int], problems: Problems) -> bool:
    rows = AssignedUser.objects.filter(power_user=account)
    here = set(rows.values_list("user_id", flat=True))
    if _only_for_power_users("assigned_users", account, wanted, problems):
        return False
    if _unseen(actor, wanted - here):
        problems.add("assigned_users", "unknown", "One of these accounts doesn't exist.")
        return False
    return _replace(rows, "user_id", here, wanted, {"power_user_id": account.pk})


def _set_assigned_branches(actor: User | None, account: User, wanted: set[int], problems: Problems) -> bool:
    rows = AssignedBranch.objects.filter(power_user=account)
    here = set(rows.values_list("branch_id", flat=True))
    if _only_for_power_users("assigned_branches", account, wanted, problems):
        return False
    if wanted - set(Branch.objects.filter(pk__in=wanted).values_list("pk", flat=True)):
        problems.add("assigned_branches", "unknown", "One of these branches doesn't exist.")
        return False
    return _replace(rows, "branch_id", here, wanted, {"power_user_id": account.pk})


def _only_for_power_users(name: str, account: User, wanted: set[int], problems: Problems) -> bool:
    if wanted and account.role != Role.POWER_USER:
        problems.add(name, "not_a_power_user", "Only power users have something assigned to them.")
        return True
    return False


def _unseen(actor: User | None, ids: set[int]) -> set[int]:
    """Those that don't exist, are deleted, or aren't the actor's to know of."""
    users = User.objects.present().filter(pk__in=ids)
    seen = users if actor is None else users.visible_to(actor)
    return ids - set(seen.values_list("pk", flat=True))


def _replace(rows: QuerySet[Any], column: str, here: set[int], wanted: set[int], fixed: Mapping[str, int]) -> bool:
    """Take away and add what differs; rows that stay keep their identity."""
    model: type[Model] = rows.model
    rows.filter(**{f"{column}__in": here - wanted}).delete()
    added: Iterable[Model] = [model(**fixed, **{column: pk}) for pk in sorted(wanted - here)]
    model._default_manager.bulk_create(added, ignore_conflicts=True)
    return here != wanted


SETTERS: Mapping[str, Callable[[User | None, User, set[int], Problems], bool]] = {
    "branches": _set_branches,
    "managers": _set_managers,
    "assigned_users": _set_assigned_users,
    "assigned_branches": _set_assigned_branches,
}
