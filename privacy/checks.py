"""Nothing can be forgotten: every column that could hold a text or a date is named as personal, or as not, and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import FieldDoesNotExist
from django.db import models

from privacy.registry import harmless_columns, moments_of, personal_columns

# Numbers, truth values and references hold no personal value; every other kind of column may.
SAFE = (models.BooleanField, models.IntegerField, models.FloatField, models.DecimalField, models.DurationField)
HINT = (
    'Name it in the app\'s privacy.py: personal("{model}", "{column}", erase=...) or '
    'not_personal("{model}", "{column}", "why").'
)


@register("privacy")
def check_columns(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Walk every column of every installed model, automatic ones included."""
    return [*find_gaps(), *find_strays()]


def find_gaps() -> Iterator[CheckMessage]:
    """One error per column that nobody names, or that is named twice."""
    named = _named()
    for model, field in columns():
        label, times = f"{model._meta.label}.{field.name}", named.count((model._meta.label_lower, field.name))
        if times > 1:
            yield Error(f"{label} is named more than once.", hint="Keep one line.", id="privacy.E002")
        elif not times and not _is_moment(model, field):
            hint = HINT.format(model=model._meta.label, column=field.name)
            yield Error(f"Nobody says whether {label} holds personal values.", hint=hint, id="privacy.E001")


def find_strays() -> Iterator[CheckMessage]:
    """One error per line that names no column, or gives no reason."""
    for model, column in _named():
        if not _exists(model, column):
            yield Error(
                f"privacy.py names {model}.{column}, which doesn't exist.", hint="Remove it.", id="privacy.E003"
            )
    for one in harmless_columns():
        if not one.reason.strip():
            yield Error(f"{one.model} is not personal without a reason.", hint="Say why.", id="privacy.E004")


def columns() -> Iterator[tuple[type[models.Model], models.Field[Any, Any]]]:
    """Every column that must be named, or be a moment."""
    for model in apps.get_models(include_auto_created=True):
        if model._meta.proxy or not model._meta.managed:
            continue
        for field in model._meta.local_concrete_fields:
            if not field.is_relation and not isinstance(field, SAFE):
                yield model, field


def _named() -> list[tuple[str, str]]:
    personal = [(line.model, column) for line in personal_columns() for column in line.columns]
    return personal + [(line.model, column) for line in harmless_columns() for column in line.columns]


def _is_moment(model: type[models.Model], field: models.Field[Any, Any]) -> bool:
    return isinstance(field, models.DateTimeField) and moments_of(model._meta.app_label) is not None


def _exists(model: str, column: str) -> bool:
    try:
        apps.get_model(model)._meta.get_field(column)
    except (LookupError, FieldDoesNotExist):
        return False
    return True
