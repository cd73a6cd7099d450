"""Deactivating, reactivating and deleting accounts: separate acts, each with its right."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

import audit.services
from accounts.errors import AccountDeleted, LastSuperadmin, OwnAccount
from accounts.models import Right, Role, Status, User
from accounts.services.access import end_access
from accounts.services.authority import check_act
from accounts.services.erasing import accounts_of_person, erase_accounts, lock_before_accounts
from accounts.services.locks import lock_to_change
from accounts.services.permissions import find_subject


def deactivate(*, actor: User, account_id: int, origin: str = "") -> User:
    """End sign-in, and keep everything. Sessions, tokens and reset links end for good. Needs Users/Edit.

    Nothing happens to an account that is inactive already. Raises UnknownAccount, NotAllowed, OwnAccount,
    AccountDeleted, LastSuperadmin.
    """
    with transaction.atomic():
        subject = _lock_to_end(actor, account_id, Right.EDIT)
        if subject.status == Status.ACTIVE:
            _set_status(actor, subject, Status.INACTIVE, origin)
            end_access([subject.pk])
    return subject


def sign_out_everywhere(*, actor: User, account_id: int, origin: str = "") -> User:
    """End every session, API token and reset link of another account, which stays active: after a lost device, say.

    Needs Users/Edit. Raises UnknownAccount, NotAllowed, OwnAccount, AccountDeleted.
    """
    with transaction.atomic():
        lock_to_change(account_id, actor_id=actor.pk)
        subject = find_subject(actor, account_id, Right.EDIT)
        check_act(actor, subject)
        if subject.status == Status.DELETED:
            raise AccountDeleted
        if subject.pk == actor.pk:
            raise OwnAccount("End your own sessions under Preferences > Sessions.")
        end_access([subject.pk])
        audit.services.record("user.signed_out", actor_id=actor.pk, subject_id=subject.pk, origin=origin)
    return subject


def reactivate(*, actor: User, account_id: int, origin: str = "") -> User:
    """Let an inactive account sign in again, with its old password and new sessions. Needs Users/Edit.

    A merged account too: it is then as after a merge that leaves its source active, and what it gains from now on can
    be merged into the survivor. Old identifiers find the survivor all the same. Raises as deactivate does.
    """
    with transaction.atomic():
        lock_to_change(account_id, ends=True, actor_id=actor.pk)  # writes for a merged account change their target
        subject = find_subject(actor, account_id, Right.EDIT)
        check_act(actor, subject)
        if subject.status == Status.DELETED:
            raise AccountDeleted
        if subject.status == Status.INACTIVE:
            _set_status(actor, subject, Status.ACTIVE, origin)
    return subject


def delete_account(*, actor: User, account_id: int, origin: str = "") -> User:
    """Erase the person from an account, for good: sign-in ends, identifiers are free, personal values are gone.

    What it did stays, under no name. Inactive accounts that were merged into it are the same person's, and are erased
    with it. Aliases that its own merge gave to a survivor are the survivor's, and stay. Needs Users/Delete. Raises as
    deactivate does.
    """
    with transaction.atomic():
        subject, ids = _lock_to_erase(actor, account_id)
        ended = dict(User.objects.present().filter(pk__in=ids).values_list("pk", "merged_into_id"))
        erase_accounts(ids)
        acts = [
            (pk, {"merged_into": into} | ({} if pk == account_id else {"with": account_id}))
            for pk, into in ended.items()
        ]
        audit.services.record_all("user.deleted", acts, actor_id=actor.pk, origin=origin)
    subject.refresh_from_db()
    return subject


def _lock_to_erase(actor: User, account_id: int) -> tuple[User, list[int]]:
    """As _lock_to_end, with the accounts that are erased with it, and before them what others lock before accounts."""
    ids = accounts_of_person(account_id)
    lock_before_accounts(ids)
    subject = _lock_to_end(actor, account_id, Right.DELETE, with_it=ids)
    while more := set(accounts_of_person(account_id)) - set(ids):  # merged a moment ago: seldom, so in any order
        lock_to_change(*more, ends=True)
        ids += sorted(more)
    return subject, ids


def _lock_to_end(actor: User, account_id: int, right: Right, with_it: Iterable[int] = ()) -> User:
    """The subject, locked so that nothing is written for it meanwhile, with all that forbids to end it checked."""
    ending = {account_id, *with_it}
    lock_to_change(*ending, ends=True, others=superadmins_to_lock(account_id), actor_id=actor.pk)
    subject = find_subject(actor, account_id, right)
    check_act(actor, subject)
    if subject.status == Status.DELETED:
        raise AccountDeleted
    if subject.pk == actor.pk:
        raise OwnAccount
    check_not_last_superadmin(subject)
    return subject


def superadmins_to_lock(account_id: int) -> list[int]:
    """All superadmins when this account is one, so that two of them can't end each other at the same moment."""
    superadmins = User.objects.filter(role=Role.SUPERADMIN)
    return list(superadmins.values_list("pk", flat=True)) if superadmins.filter(pk=account_id).exists() else []


def check_not_last_superadmin(subject: User) -> None:
    """Raise LastSuperadmin when nobody else would be left to run the portal."""
    others = User.objects.filter(role=Role.SUPERADMIN, status=Status.ACTIVE).exclude(pk=subject.pk)
    if subject.is_superadmin and not others.exists():
        raise LastSuperadmin


def _set_status(actor: User, subject: User, status: Status, origin: str) -> None:
    subject.status = status
    subject.save(update_fields=["status"])
    action = "user.reactivated" if status == Status.ACTIVE else "user.deactivated"
    detail = {"merged_into": subject.merged_into_id} if subject.merged_into_id else {}
    audit.services.record(action, actor_id=actor.pk, subject_id=subject.pk, detail=detail, origin=origin)
