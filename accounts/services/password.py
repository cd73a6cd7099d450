"""Changing one's own password."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F

import audit.services
from accounts.errors import FieldsInvalid, NotAllowed
from accounts.models import Session, User
from accounts.services.fields import Problems, clean_password
from accounts.services.locks import lock_to_change


def change_own_password(*, actor: User, password: str, origin: str = "") -> User:
    """Set a new password and end every session of the account; the door keeps the one that asked.

    API tokens go on: they aren't made of the password. Raises FieldsInvalid, and NotAllowed when the account may no
    longer sign in.
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
        account.session_epoch = F("session_epoch") + 1
        account.save(update_fields=["password", "session_epoch"])
        Session.objects.filter(account_id=account.pk).delete()
        audit.services.record("password.changed", actor_id=account.pk, subject_id=account.pk, origin=origin)
    account.refresh_from_db()
    return account
