"""Rows by the thousand: kept as text for a moment, then sent with COPY. Memory stays flat whatever the number."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date, datetime
from io import StringIO
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import connection
from django.db.models import NOT_PROVIDED, Field, JSONField, Max, Model
from django.db.models.functions import Now

ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def as_text(value: Any) -> str:
    """One value as COPY reads it."""
    if value is None:
        return "\\N"
    if value is True or value is False:
        return "t" if value else "f"
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value).translate(ESCAPES)


def as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(ESCAPES)


def as_array(values: Iterable[str]) -> str:
    """A text array; its words need no quoting beyond this."""
    return "{" + ",".join(f'"{value}"' for value in values) + "}"


class Sheet:
    """The rows of one table that wait to be sent. Ids are counted here, so that children can name their parents."""

    def __init__(self, model: type[Model], now: datetime) -> None:
        self.model = model
        fields = model._meta.concrete_fields
        self.places = {field.attname: place for place, field in enumerate(fields)}
        self.writers = {field.attname: _writer(field) for field in fields}
        self.blank = [_blank(field, now) for field in fields]
        self.next_id = (model._default_manager.aggregate(last=Max("pk"))["last"] or 0) + 1
        self.lines: list[str] = []

    def add(self, values: dict[str, Any]) -> int:
        """Keep one row; what isn't given has the model's default. Answers its id."""
        row = self.blank.copy()
        row[0] = str(self.next_id)
        for name, value in values.items():
            row[self.places[name]] = self.writers[name](value)
        self.lines.append("\t".join(row))
        self.next_id += 1
        return self.next_id - 1

    def send(self) -> None:
        if not self.lines:
            return
        meta, quote = self.model._meta, connection.ops.quote_name
        columns = ", ".join(quote(str(field.column)) for field in meta.concrete_fields)
        with connection.cursor() as cursor:
            cursor.copy_expert(f"COPY {quote(meta.db_table)} ({columns}) FROM STDIN", StringIO("\n".join(self.lines)))
        self.lines.clear()


class Book:
    """One sheet per table."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.sheets: dict[type[Model], Sheet] = {}

    def add(self, model: type[Model], **values: Any) -> int:
        """Keep one row, its columns named as attributes (`user_id`). Answers its id."""
        if model not in self.sheets:
            self.sheets[model] = Sheet(model, self.now)
        return self.sheets[model].add(values)

    def send(self) -> None:
        """Send what waits. Foreign keys are checked after each batch, lest the checks pile up to the end."""
        for sheet in self.sheets.values():
            sheet.send()
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")

    def finish(self) -> None:
        """Send the rest, and let the tables' own counters go on after our ids."""
        self.send()
        with connection.cursor() as cursor:
            for model, sheet in self.sheets.items():
                table = model._meta.db_table
                cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s, false)", [table, sheet.next_id])


def _writer(field: Field[Any, Any]) -> Any:
    if isinstance(field, ArrayField):
        return as_array
    return as_json if isinstance(field, JSONField) else as_text


def _blank(field: Field[Any, Any], now: datetime) -> str:
    """What stands in a column that isn't given: the model's default, or the database's (a constant, or its clock)."""
    default: Any = None if field.null else ""
    if field.has_default():
        default = field.get_default()
    elif field.db_default is not NOT_PROVIDED:
        default = now if isinstance(field.db_default, Now) else getattr(field.db_default, "value", field.db_default)
    return str(_writer(field)(default))
