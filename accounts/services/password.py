"""Changing one's own password."""

from __future__ import annotations

from django.db import transaction

import audit.services
from accounts.errors import FieldsInvalid, NotAllowed
from accounts.models import User
from accounts.services.access import end_access
from accounts.services.fields import Problems, clean_password
from accounts.services.locks import lock_to_change


def change_own_password(*, actor: User, password: str, origin: str = "") -> User:
    """Set a new password and end every session and API token of the account; the door keeps the session that asked.

    Raises FieldsInvalid, and NotAllowed when the account may no longer sign in.
    """
    problems = Problems()
    with transaction.atomic():
        lock_to_change(actor.pk)
        account: User = User.objects.get(pk=actor.pk)
        if not account.is_active:
            raise NotAllowed("This account may not sign in any more.")
        clean_password(password, account, problems)
        if problems.errors:
            raise FieldsInvalid(problems.errors)
        account.set_password(password)
        account.save(update_fields=["password"])
        end_access([account.pk])
        audit.services.record("password.changed", actor_id=account.pk, subject_id=account.pk, origin=origin)
    account.refresh_from_db()
    return account
