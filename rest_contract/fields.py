"""Fields that take exactly the JSON type they name: no numbers as text, no text as numbers, no guessing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db.models import Model
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

INT32 = 2**31 - 1
INT64 = 2**63 - 1
ZONED = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:?\d\d)", re.ASCII)
DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
NO_NULL = r"^[^\x00]*$"
MONEY = r"^-?[0-9]{1,12}(\.[0-9]{1,2})?$"


class IntegerField(serializers.IntegerField):
    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, float) and data.is_integer():
            data = int(data)
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return data


class CharField(serializers.CharField):
    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class EmailField(serializers.EmailField):
    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class BooleanField(serializers.BooleanField):
    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class ChoiceField(serializers.ChoiceField):
    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid_choice", input=str(data)[:60])
        return super().to_internal_value(data)


class DateTimeField(serializers.DateTimeField):
    """A time with its zone, in years that every part of the portal can hold."""

    default_error_messages = {"zone": "Give a time with its zone, such as 2026-05-31T12:00:00Z."}

    def to_internal_value(self, value: Any) -> datetime:
        if not isinstance(value, str) or not ZONED.fullmatch(value):
            self.fail("zone")
        try:
            return super().to_internal_value(value.upper().replace(" ", "T")).astimezone(UTC)
        except OverflowError:
            self.fail("zone")


class DateField(serializers.DateField):
    def to_internal_value(self, value: Any) -> date:
        if not isinstance(value, str) or not DAY.fullmatch(value):
            self.fail("invalid", format="YYYY-MM-DD")
        return super().to_internal_value(value)


@extend_schema_field({"type": "number", "minimum": 0, "maximum": 9999})
class ScoreField(serializers.Field[Decimal, float, float, Any]):
    """A number in points of 100, kept with two digits."""

    default_error_messages = {"invalid": "Give a number.", "range": "Give a number from 0 to 9999."}

    def to_internal_value(self, data: Any) -> Decimal:
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        if not 0 <= data <= 9999:
            self.fail("range")
        return Decimal(str(data)).quantize(Decimal("0.01"), ROUND_HALF_UP)

    def to_representation(self, value: Decimal) -> float:
        return float(value)


@extend_schema_field({"type": "string", "pattern": MONEY, "examples": ["19.90"]})
class MoneyField(serializers.Field[Decimal, str, str, Any]):
    """An amount as text, with at most two decimals."""

    default_error_messages = {"invalid": 'Give an amount as text with at most two decimals, such as "19.90".'}

    def to_internal_value(self, data: Any) -> Decimal:
        if not isinstance(data, str) or not re.fullmatch(MONEY, data, re.ASCII) or data.endswith("\n"):
            self.fail("invalid")
        return Decimal(data)

    def to_representation(self, value: Decimal) -> str:
        return f"{value:.2f}"


@extend_schema_field(
    {
        "type": "object",
        "propertyNames": {"pattern": NO_NULL},
        "additionalProperties": {"$ref": "#/components/schemas/AnyValue"},
    }
)
class ObjectField(serializers.Field[Any, Any, Any, Any]):
    """A JSON object, kept as it is."""

    default_error_messages = {"invalid": "Give an object."}

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, Mapping):
            self.fail("invalid")
        return dict(data)

    def to_representation(self, value: Any) -> Any:
        return value


@extend_schema_field({"type": "integer", "minimum": 1, "maximum": INT64})
class IdField(serializers.Field[int, int, int, Any]):
    """The id of another row. Whether there is such a row is asked once for a whole body, by the view."""

    default_error_messages = {"invalid": "Give an id, a whole number above zero."}

    def __init__(self, model: type[Model], **kwargs: Any) -> None:
        self.model = model
        super().__init__(**kwargs)

    def get_attribute(self, instance: Any) -> Any:
        return instance.serializable_value(self.source)

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, float) and data.is_integer():
            data = int(data)  # JSON knows one kind of number
        if isinstance(data, bool) or not isinstance(data, int) or not 0 < data <= INT64:
            self.fail("invalid")
        return data

    def to_representation(self, value: int) -> int:
        return value


class IdListField(serializers.ListField):
    """Ids of other rows, each once, in the order sent."""

    def __init__(self, model: type[Model], **kwargs: Any) -> None:
        self.model = model
        kwargs.setdefault("max_length", 1000)
        super().__init__(child=IdField(model), **kwargs)

    def get_attribute(self, instance: Any) -> Any:
        return getattr(instance, f"{self.field_name}_ids")

    def to_internal_value(self, data: Any) -> list[int]:
        if not isinstance(data, list):
            self.fail("not_a_list", input_type=type(data).__name__)
        return list(dict.fromkeys(super().to_internal_value(data)))
