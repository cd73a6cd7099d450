"""An account as outsiders see it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rest_framework import serializers

from accounts.models import (
    AssignedBranch,
    AssignedUser,
    Branch,
    BranchMembership,
    ManagerAssignment,
    ProfileField,
    ProfileValue,
    Right,
    Status,
    User,
)
from rest_contract import fields
from rest_contract.serializers import Strict, StrictModel


class ProfileValues(serializers.DictField):
    """Custom field key to value; null or an empty text takes a value away."""

    child = serializers.JSONField(allow_null=True)

    def get_attribute(self, instance: Any) -> Any:
        return instance.profile_by_key


class UserSerializer(StrictModel):
    """An account with its relations as ids. `attach` must have fetched these."""

    username = fields.CharField(max_length=150)
    email = fields.EmailField(max_length=254)
    password = fields.CharField(write_only=True, required=False, trim_whitespace=False, min_length=8, max_length=1000)
    status = fields.ChoiceField(choices=Status.choices, required=False)
    profile = ProfileValues(required=False)
    branches = fields.IdListField(Branch, required=False)
    managers = fields.IdListField(User, required=False)
    rights = serializers.ListField(child=fields.ChoiceField(choices=Right.choices), required=False)
    assigned_users = fields.IdListField(User, required=False, max_length=10_000)
    assigned_branches = fields.IdListField(Branch, required=False)
    merged_into = fields.IdField(User, read_only=True, allow_null=True)
    link_group = serializers.IntegerField(source="link_group_id", read_only=True, allow_null=True)

    class Meta:
        model = User
        fields = [
            "id",
            "username",
            "email",
            "password",
            "first_name",
            "last_name",
            "role",
            "status",
            "employee_number",
            "external_id",
            "phone",
            "job_title",
            "birth_date",
            "language",
            "timezone",
            "profile",
            "branches",
            "managers",
            "rights",
            "assigned_users",
            "assigned_branches",
            "last_login",
            "merged_into",
            "link_group",
        ]
        read_only_fields = ["last_login"]


class ReasonSerializer(Strict):
    reason = fields.CharField(max_length=300)


class OptionalReasonSerializer(Strict):
    reason = fields.CharField(max_length=300, required=False, allow_blank=True)


class NothingSerializer(Strict):
    """A body without members."""


def attach(users: Sequence[User], seen: Iterable[int] | None) -> None:
    """Fetch the relations of all these accounts, one query per kind. `seen`: the accounts that may be named; None: all."""
    ids = [user.pk for user in users]
    relations = {
        "branches": BranchMembership.objects.filter(user__in=ids)
        .order_by("branch_id")
        .values_list("user_id", "branch_id"),
        "managers": ManagerAssignment.objects.filter(user__in=ids).order_by("id").values_list("user_id", "manager_id"),
        "assigned_users": AssignedUser.objects.filter(power_user__in=ids).values_list("power_user_id", "user_id"),
        "assigned_branches": AssignedBranch.objects.filter(power_user__in=ids).values_list(
            "power_user_id", "branch_id"
        ),
    }
    by_id: dict[int, Any] = {user.pk: user for user in users}
    for name, pairs in relations.items():
        for user in users:
            user.__dict__[f"{name}_ids"] = []
        for owner, other in pairs:
            by_id[owner].__dict__[f"{name}_ids"].append(other)
    for user in users:
        user.__dict__["profile_by_key"] = {}
    for value in ProfileValue.objects.filter(user__in=ids).select_related("field").order_by("field_id"):
        by_id[value.user_id].profile_by_key[value.field.key] = typed(value.field, value.value)
    if seen is not None:
        _hide(users, set(seen))


def typed(field: ProfileField, text: str) -> Any:
    """A stored value as JSON: numbers as numbers, yes or no as a truth value, the rest as text."""
    if field.type == ProfileField.Type.YES_NO:
        return text == "yes"
    if field.type == ProfileField.Type.NUMBER:
        number = float(text)
        return int(number) if number.is_integer() and abs(number) < 2**53 else number
    return text


def accounts_named(users: Sequence[User]) -> set[int]:
    """The other accounts that the relations of these name."""
    ids = [user.pk for user in users]
    managers = ManagerAssignment.objects.filter(user__in=ids).values_list("manager_id", flat=True)
    return {*managers, *(user.merged_into_id for user in users if user.merged_into_id)}


def _hide(users: Sequence[User], seen: set[int]) -> None:
    for user in users:
        user.__dict__["managers_ids"] = [pk for pk in user.__dict__["managers_ids"] if pk in seen]
        if user.merged_into_id not in seen:
            user.merged_into_id = None
