"""Serializers that refuse what they don't know, and that never query while they validate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import models
from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.validators import UniqueValidator

from rest_contract import fields


class Strict(serializers.Serializer[Any]):
    """Unknown and read-only names are refused, each by its name. `fixed` names what PATCH can't change."""

    fixed: tuple[str, ...] = ()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        found = super().get_fields()
        if self.partial:
            for name in self.fixed:
                found[name].read_only = True
                found[name].required = False
        return found

    def run_validation(self, data: Any = empty) -> Any:
        if isinstance(data, Mapping):
            self._refuse_strangers(data)
        return super().run_validation(data)

    def _refuse_strangers(self, data: Mapping[str, Any]) -> None:
        problems: dict[str, list[serializers.ErrorDetail]] = {}
        for name in data:
            field = self.fields.get(name)
            if field is None:
                problems[name[:60]] = [serializers.ErrorDetail("There is no field of this name.", "unknown_field")]
            elif field.read_only:
                problems[name] = [serializers.ErrorDetail("This can't be set from outside.", "read_only")]
        if problems:
            raise serializers.ValidationError(problems)


class StrictModel(Strict, serializers.ModelSerializer[Any]):
    """For one model. Relations are ids; uniqueness is the database's to say."""

    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.IntegerField: fields.IntegerField,
        models.PositiveIntegerField: fields.IntegerField,
        models.PositiveSmallIntegerField: fields.IntegerField,
        models.BigAutoField: fields.IntegerField,
        models.CharField: fields.CharField,
        models.SlugField: fields.CharField,
        models.TextField: fields.CharField,
        models.EmailField: fields.EmailField,
        models.BooleanField: fields.BooleanField,
        models.DateTimeField: fields.DateTimeField,
        models.DateField: fields.DateField,
        models.JSONField: fields.ObjectField,
    }
    serializer_choice_field = fields.ChoiceField

    def build_standard_field(self, field_name: str, model_field: Any) -> Any:
        kind, kwargs = super().build_standard_field(field_name, model_field)
        kept = [v for v in kwargs.get("validators", ()) if not isinstance(v, UniqueValidator)]
        if "validators" in kwargs:
            kwargs["validators"] = kept
        if model_field.has_db_default() and not kwargs.get("read_only"):
            kwargs["required"] = False
        if issubclass(kind, fields.IntegerField):
            kwargs.setdefault("max_value", fields.INT32)
            kwargs.setdefault("min_value", 0 if "Positive" in type(model_field).__name__ else -fields.INT32)
        if issubclass(kind, fields.ObjectField):
            kwargs = {key: value for key, value in kwargs.items() if key in ("required", "default", "read_only")}
        if issubclass(kind, fields.ChoiceField) and not model_field.blank:
            kwargs.pop("allow_blank", None)
        return kind, kwargs

    def build_relational_field(self, field_name: str, relation_info: Any) -> Any:
        column, target = relation_info.model_field, relation_info.related_model
        kwargs: dict[str, Any] = {"model": target}
        if column.null:
            kwargs |= {"allow_null": True, "required": False}
        return fields.IdField, kwargs

    def get_unique_together_validators(self) -> list[Any]:
        return []

    def get_unique_for_date_validators(self) -> list[Any]:
        return []

    def get_unique_together_constraints(self, model: Any) -> Any:
        return iter(())
