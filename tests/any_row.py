"""Makes a valid row of any model: by its factory where there is one, else from its columns."""

from __future__ import annotations

import itertools
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models

from tests import factories

_numbers = itertools.count(1)
_makers: dict[type[models.Model], type[factories.Maker[Any]]] = {
    maker._meta.model: maker
    for maker in vars(factories).values()
    if isinstance(maker, type)
    and issubclass(maker, factories.Maker)
    and maker is not factories.Maker
    and maker.__mro__[1] is factories.Maker
}


def make(model: type[models.Model], /, **given: Any) -> Any:
    """A saved row; what isn't given gets the smallest valid value."""
    if model in _makers:
        return _makers[model].create(**given)
    values = {field.name: _value(field) for field in model._meta.local_concrete_fields if _needs_one(field)}
    return model._base_manager.create(**{**values, **given})


def _needs_one(field: models.Field[Any, Any]) -> bool:
    if field.primary_key or field.null or field.has_default():
        return False
    return field.db_default is models.NOT_PROVIDED


def _value(field: models.Field[Any, Any]) -> Any:
    if isinstance(field, models.ForeignKey):
        return make(field.related_model)
    if field.choices:
        return next(iter(field.flatchoices))[0]
    if isinstance(field, models.DateTimeField):
        return factories.at(2025)
    if isinstance(field, ArrayField):
        return []
    if isinstance(field, models.IntegerField | models.DecimalField):
        return next(_numbers)
    text = f"x{next(_numbers)}"
    return text[: field.max_length] if field.max_length else text
