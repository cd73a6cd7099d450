"""Changing one's own password."""

from __future__ import annotations

from django.db import transaction

import audit.services
import notices.services
from accounts.errors import AccountError, FieldsInvalid, NotAllowed
from accounts.models import Right, User
from accounts.services.access import end_access
from accounts.services.fields import Problems, clean_password
from accounts.services.locks import lock_to_change
from accounts.services.permissions import find_subject


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


def request_reset(*, actor: User, account_id: int, origin: str = "") -> User:
    """Owe the person a mail with a link to choose a new password. Needs Users/Edit.

    Raises UnknownAccount, NotAllowed, and AccountError for an account that can't receive or use a link.
    """
    with transaction.atomic():
        lock_to_change(account_id, actor_id=actor.pk)
        account = find_subject(actor, account_id, Right.EDIT)
        if not account.is_active or not account.email:
            raise AccountError("Only an active account with an e-mail address can get a password reset.")
        notices.services.queue("password.reset", [account.pk], facts={"epoch": account.session_epoch})
        audit.services.record("password.reset_sent", actor_id=actor.pk, subject_id=account.pk, origin=origin)
    return account
