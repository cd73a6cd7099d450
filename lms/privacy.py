"""Columns of Django's own tables."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model

from accounts.models import User
from privacy.erasers import Redact
from privacy.person import Person
from privacy.registry import moments, not_personal, personal

CODE = "Django's own words for the portal's tables"


def _clear_log(person: Person, model: type[Model], columns: Sequence[str]) -> None:
    """Entries about the account, whatever it was called then, and those that name the person."""
    about = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(User))
    about.filter(object_id__in=[str(pk) for pk in person.ids]).update(object_repr="", change_message="")
    Redact()(person, model, columns)


moments("admin")
moments("sessions")
personal("admin.LogEntry", "object_repr change_message", erase=_clear_log)
not_personal("admin.LogEntry", "object_id", "the id of a row")
not_personal("auth.Permission", "name codename", CODE)
not_personal("auth.Group", "name", "groups of Django, which the portal doesn't use")
not_personal("contenttypes.ContentType", "app_label model", CODE)
not_personal("sessions.Session", "session_key session_data", "always empty: sessions are kept in accounts.Session")
