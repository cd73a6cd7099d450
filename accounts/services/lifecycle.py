"""Deactivating, reactivating and deleting accounts: separate acts, each with its right."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q

import audit.services
import notices.services
from accounts.errors import AccountDeleted, LastSuperadmin, OwnAccount
from accounts.models import (
    Alias,
    AssignedBranch,
    AssignedUser,
    BranchMembership,
    ManagerAssignment,
    ProfileValue,
    Right,
    Role,
    Status,
    User,
)
from accounts.services.access import end_access
from accounts.services.authority import check_act
from accounts.services.locks import lock_to_change
from accounts.services.permissions import find_subject
from merging.erasure import erase_journals

BLANK = (
    "email",
    "first_name",
    "last_name",
    "employee_number",
    "external_id",
    "phone",
    "job_title",
    "language",
    "timezone",
)


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

    What it did stays, under no name. Aliases that its merge gave to the survivor stay there. Needs Users/Delete.
    Raises as deactivate does.
    """
    with transaction.atomic():
        subject = _lock_to_end(actor, account_id, Right.DELETE)
        detail = {"merged_into": subject.merged_into_id}
        _erase(subject)
        end_access([subject.pk])
        audit.services.record("user.deleted", actor_id=actor.pk, subject_id=subject.pk, detail=detail, origin=origin)
    return subject


def _lock_to_end(actor: User, account_id: int, right: Right) -> User:
    """The subject, locked so that nothing is written for it meanwhile, with all that forbids to end it checked."""
    lock_to_change(account_id, ends=True, others=superadmins_to_lock(account_id), actor_id=actor.pk)
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


def _erase(subject: User) -> None:
    subject.username = f"deleted-{subject.pk}"
    for name in BLANK:
        setattr(subject, name, "")
    subject.birth_date, subject.last_login, subject.rights = None, None, []
    subject.email_state, subject.status = "unverified", Status.DELETED
    subject.set_unusable_password()
    subject.save()
    ProfileValue.objects.filter(user=subject).delete()
    Alias.objects.filter(user=subject).delete()
    BranchMembership.objects.filter(user=subject).delete()
    ManagerAssignment.objects.filter(Q(user=subject) | Q(manager=subject)).delete()
    AssignedUser.objects.filter(Q(user=subject) | Q(power_user=subject)).delete()
    AssignedBranch.objects.filter(power_user=subject).delete()
    notices.services.forget_person(subject.pk)
    erase_journals(subject.pk)
