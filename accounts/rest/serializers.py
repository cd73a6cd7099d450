"""An account as outsiders see it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any
from zoneinfo import available_timezones

from django.core.validators import RegexValidator
from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.utils import extend_schema_field
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
from rest_contract.schema import NAMES_SITE, varies_with
from rest_contract.serializers import Strict, StrictModel

LINE = r"^[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]*$"


class ProfileValues(serializers.DictField):
    """Custom field key to value; null or an empty text takes a value away."""

    child = serializers.JSONField(allow_null=True)

    def get_attribute(self, instance: Any) -> Any:
        return instance.profile_by_key


class ProfileScheme(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """The document names the custom fields that this organisation has, not to strangers."""

    target_class = "accounts.rest.serializers.ProfileValues"

    def map_serializer_field(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        if not NAMES_SITE.get():
            return {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean", "null"]}}
        found = {field.key: _kind_of_value(field) for field in ProfileField.objects.all()}
        return {"type": "object", "properties": found, "additionalProperties": direction == "response"}


@varies_with
def _custom_fields() -> Hashable:
    return tuple((field.key, field.type, tuple(field.options)) for field in ProfileField.objects.order_by("pk"))


def _kind_of_value(field: ProfileField) -> dict[str, Any]:
    kinds: dict[str, dict[str, Any]] = {
        ProfileField.Type.TEXT: {"type": ["string", "null"], "maxLength": 500, "pattern": LINE},
        ProfileField.Type.NUMBER: {"type": ["number", "null"], "minimum": -1e15, "maximum": 1e15},
        ProfileField.Type.DATE: {"type": ["string", "null"], "format": "date"},
        ProfileField.Type.CHOICE: {"enum": [*field.options, None]},
        ProfileField.Type.YES_NO: {"type": ["boolean", "null"]},
    }
    return kinds[field.type]


@extend_schema_field({"type": "string", "pattern": LINE})
class LineField(fields.CharField):
    """Text on one line; `accounts.services` checks it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, allow_blank=True, **kwargs)


@extend_schema_field({"type": "string", "minLength": 8, "maxLength": 1000, "pattern": r"^[^\x00]*[^0-9\x00][^\x00]*$"})
class PasswordField(fields.CharField):
    """Not a number, and nothing that is guessed first."""


class StatusField(fields.ChoiceField):
    """Nobody is deleted, or reinstated, by setting a status."""

    def to_internal_value(self, data: Any) -> Any:
        status = super().to_internal_value(data)
        if status == Status.DELETED:
            self.fail("invalid_choice", input=data)
        return status


class StatusScheme(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    target_class = StatusField

    def map_serializer_field(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        values = Status.values if direction == "response" else [Status.ACTIVE, Status.INACTIVE]
        return {"type": "string", "enum": [str(value) for value in values]}


class UserSerializer(StrictModel):
    """An account, with its relations as ids."""

    username = fields.CharField(max_length=150, validators=[RegexValidator(r"^[\w.@+-]+\Z")])
    email = fields.EmailField(max_length=254)
    password = PasswordField(write_only=True, required=False, trim_whitespace=False, min_length=8, max_length=1000)
    first_name = LineField(max_length=150)
    last_name = LineField(max_length=150)
    employee_number = LineField(max_length=100)
    external_id = LineField(max_length=100)
    phone = LineField(max_length=50)
    job_title = LineField(max_length=150)
    language = fields.CharField(
        max_length=10,
        required=False,
        allow_blank=True,
        validators=[RegexValidator(r"^([a-z]{2,3}(-[A-Za-z0-9]{2,8})*)?\Z")],
    )
    timezone = fields.ChoiceField(choices=sorted(available_timezones()), required=False, allow_blank=True)
    status = StatusField(choices=Status.choices, required=False)
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
    assigned = AssignedUser.objects.filter(power_user__in=ids).values_list("user_id", flat=True)
    return {*managers, *assigned, *(user.merged_into_id for user in users if user.merged_into_id)}


def _hide(users: Sequence[User], seen: set[int]) -> None:
    for user in users:
        for name in ("managers_ids", "assigned_users_ids"):
            user.__dict__[name] = [pk for pk in user.__dict__[name] if pk in seen]
        if user.merged_into_id not in seen:
            user.merged_into_id = None
