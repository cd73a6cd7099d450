"""Branches and custom profile fields."""

from __future__ import annotations

from typing import Any

from django.core.validators import RegexValidator
from django.db import transaction
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from accounts.models import Branch, ProfileField
from accounts.rest.owned import CatalogueRows
from rest_contract import fields, filters
from rest_contract.problems import Conflict, Invalid, field_error
from rest_contract.serializers import StrictModel
from rest_contract.views import Row


class BranchSerializer(StrictModel):
    class Meta:
        model = Branch
        fields = ["id", "name", "parent"]


class Branches(CatalogueRows):
    """The organisation: a tree of branches. A circle is refused."""

    model = Branch
    serializer_class = BranchSerializer
    filters = {"parent": filters.by_id("parent"), "search": filters.by_words("name")}
    orderings = {"id": "id", "name": "name"}

    def change(self, row: Any, values: Row) -> Any:
        parent = values.get("parent")
        if parent is not None:
            list(Branch.objects.select_for_update().order_by("pk").values_list("pk"))  # two moves could close a circle
            if parent in Branch.ids_with_descendants([row.pk]):
                raise Conflict("circle", "A branch can't lie below itself.")
        return super().change(row, values)


VARIANTS = [
    {
        "title": "a choice",
        "required": ["type", "options"],
        "properties": {"type": {"enum": ["choice"]}, "options": {"type": "array", "minItems": 1}},
    },
    {"title": "any other", "properties": {"type": {"enum": ["text", "number", "date", "yes_no"]}}},
]


@extend_schema_serializer(extensions={"x-variants": VARIANTS})
class ProfileFieldSerializer(StrictModel):
    fixed = ("key",)
    key = fields.CharField(max_length=50, validators=[RegexValidator(r"^[A-Za-z0-9_-]{1,50}\Z")])
    options = serializers.ListField(
        child=fields.CharField(max_length=100, min_length=1), max_length=200, required=False
    )

    class Meta:
        model = ProfileField
        fields = ["id", "key", "label", "type", "options"]


NO_OPTION = "A choice field has at least one option."


class ProfileFields(CatalogueRows):
    """Fields that the organisation added to every profile."""

    model = ProfileField
    serializer_class = ProfileFieldSerializer
    filters = {"key": filters.by_text("key"), "type": filters.by_choice("type", ProfileField.Type.values)}
    orderings = {"id": "id", "key": "key"}

    def read_body(self, items: list[Any], many: bool) -> list[Row]:
        rows = super().read_body(items, many)
        for place, row in enumerate(rows):
            if _lacks_options(row):
                raise Invalid(field_error(f"{place}.options" if many else "options", "required", NO_OPTION))
        return rows

    @transaction.atomic
    def change(self, row: Any, values: Row) -> Any:
        if _lacks_options({"type": row.type, "options": row.options, **values}):
            raise Conflict("options_required", NO_OPTION)
        return super().change(row, values)


def _lacks_options(row: Row) -> bool:
    return row.get("type") == ProfileField.Type.CHOICE and not row.get("options")
