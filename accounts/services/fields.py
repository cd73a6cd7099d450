"""What the built-in fields of an account may hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from accounts.models import Right, Role, Status, User
from accounts.services.text import is_storable, storable

TEXTS = ("username", "email", "first_name", "last_name", "employee_number", "external_id", "phone", "job_title")
SETTINGS = ("language", "timezone")
OWN_FIELDS = (*TEXTS, *SETTINGS, "birth_date")
PRIVILEGED = ("role", "rights", "assigned_users", "assigned_branches")
RELATIONS = ("profile", "branches", "managers", "assigned_users", "assigned_branches")
WRITABLE = frozenset({*OWN_FIELDS, *PRIVILEGED, *RELATIONS, "password", "status"})
ERASED = re.compile(r"deleted-\d+", re.IGNORECASE)
NOT_ON_A_LINE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


class Problems:
    """Collects what is wrong with the fields of one account, instead of stopping at the first."""

    def __init__(self) -> None:
        self.errors: list[dict[str, str]] = []

    def add(self, field: str, code: str, detail: str) -> None:
        self.errors.append({"field": storable(field)[:100], "code": code, "detail": detail})


def clean(data: Mapping[str, Any], problems: Problems) -> dict[str, Any]:
    """The built-in fields among `data`, ready to be set; what is wrong goes to `problems`."""
    cleaned: dict[str, Any] = {}
    for name, value in data.items():
        if name not in WRITABLE:
            problems.add(name, "unknown_field", "There is no such field that can be written.")
        elif name in CLEANERS:
            try:
                cleaned[name] = CLEANERS[name](name, value)
            except ValidationError as error:
                for one in error.error_list:
                    problems.add(name, one.code or "invalid", " ".join(one.messages))
    return cleaned


def clean_password(password: Any, account: User, problems: Problems) -> None:
    """Whether it is a password that this person may have."""
    if not isinstance(password, str) or not password or not is_storable(password) or len(password) > 1000:
        problems.add("password", "invalid", "Give a password of 8 to 1000 characters.")
        return
    try:
        validate_password(password, account)
    except ValidationError as error:
        problems.add("password", "weak_password", " ".join(error.messages))


def is_one_line(text: str) -> bool:
    """Without control characters, line breaks and overrides of the writing direction; joiners belong to many scripts."""
    return not NOT_ON_A_LINE.search(text)


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not is_one_line(value):
        raise ValidationError("Give text on one line.", code="invalid")
    field = User._meta.get_field(name)
    text: str = field.clean(value.strip(), None)  # type: ignore[union-attr]
    if name == "username" and ERASED.fullmatch(text):
        raise ValidationError("Usernames like this are kept for deleted accounts.", code="reserved")
    return text


def _language(name: str, value: Any) -> str:
    if not isinstance(value, str) or (value and (len(value) > 10 or not LANGUAGE.fullmatch(value))):
        raise ValidationError("Give a language code such as en or pt-BR.", code="invalid")
    return value


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _timezone(name: str, value: Any) -> str:
    if not isinstance(value, str) or (value and value not in _zones()):
        raise ValidationError("Give a time zone such as Europe/Berlin.", code="invalid")
    return value


def _birth_date(name: str, value: Any) -> date | None:
    if value in (None, ""):
        return None
    try:
        day = value if type(value) is date else date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise ValidationError("Give a date as YYYY-MM-DD.", code="invalid") from error
    if not date(1850, 1, 1) <= day <= datetime.now().astimezone().date():
        raise ValidationError("Nobody alive was born then.", code="out_of_range")
    return day


def _one_of(values: list[str]) -> Callable[[str, Any], str]:
    def check(name: str, value: Any) -> str:
        if not isinstance(value, str) or value not in values:
            raise ValidationError(f"Choose one of {', '.join(values)}.", code="invalid_choice")
        return value

    return check


def _rights(name: str, value: Any) -> list[str]:
    if not isinstance(value, list | tuple) or any(right not in Right.values for right in value):
        raise ValidationError(f"Give a list of {', '.join(Right.values)}.", code="invalid_choice")
    return [right for right in Right.values if right in value]


CLEANERS: Mapping[str, Callable[[str, Any], Any]] = {
    **dict.fromkeys(TEXTS, _text),
    "language": _language,
    "timezone": _timezone,
    "birth_date": _birth_date,
    "role": _one_of(Role.values),
    "status": _one_of([Status.ACTIVE, Status.INACTIVE]),
    "rights": _rights,
}
