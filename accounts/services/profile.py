"""Custom profile fields: what may be in them, and how they are kept."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from accounts.models import ProfileField
from accounts.services.fields import Problems, is_one_line

MOST = 500
YES_NO = {True: "yes", False: "no", "yes": "yes", "no": "no", "true": "yes", "false": "no"}


def clean_value(field: ProfileField, raw: Any, problems: Problems) -> str | None:
    """The value as text in the field's own notation; blank is "". None when it can't be kept."""
    if raw is None or raw == "":
        return ""
    text = _NOTATION[ProfileField.Type(field.type)](field, raw)
    if text is None or len(text) > MOST or not is_one_line(text):
        problems.add(f"profile.{field.key}", "invalid", _hint(field))
        return None
    return text


def _text(field: ProfileField, raw: Any) -> str | None:
    return raw.strip() if isinstance(raw, str) else None


def _number(field: ProfileField, raw: Any) -> str | None:
    if isinstance(raw, bool) or not isinstance(raw, str | int | float | Decimal):
        return None
    try:
        number = Decimal(str(raw).strip())
    except InvalidOperation:
        return None
    return f"{number:f}" if number.is_finite() and abs(number.adjusted()) < 100 else None


def _date(field: ProfileField, raw: Any) -> str | None:
    try:
        return date.fromisoformat(raw).isoformat() if isinstance(raw, str) else None
    except ValueError:
        return None


def _choice(field: ProfileField, raw: Any) -> str | None:
    return raw if isinstance(raw, str) and raw in field.options else None


def _yes_no(field: ProfileField, raw: Any) -> str | None:
    if isinstance(raw, str):
        return YES_NO.get(raw.strip().lower())
    return YES_NO.get(raw) if isinstance(raw, bool) else None


def _hint(field: ProfileField) -> str:
    return {
        ProfileField.Type.TEXT: f"Give text on one line, {MOST} characters at most.",
        ProfileField.Type.NUMBER: "Give a number.",
        ProfileField.Type.DATE: "Give a date as YYYY-MM-DD.",
        ProfileField.Type.CHOICE: f"Choose one of {', '.join(field.options)}.",
        ProfileField.Type.YES_NO: "Give yes or no.",
    }[ProfileField.Type(field.type)]


_NOTATION = {
    ProfileField.Type.TEXT: _text,
    ProfileField.Type.NUMBER: _number,
    ProfileField.Type.DATE: _date,
    ProfileField.Type.CHOICE: _choice,
    ProfileField.Type.YES_NO: _yes_no,
}
