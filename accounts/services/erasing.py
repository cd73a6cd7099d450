"""Erasing a person from their accounts: whom it concerns, in which order it locks, and what goes."""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection, transaction
from django.db.models import Q

from accounts.models import AssignedBranch, AssignedUser, BranchMembership, ManagerAssignment, Status, User
from accounts.privacy import person_of
from accounts.services.access import end_access
from privacy import services as privacy
from privacy.mails import forget_mails

# The account, and what was merged into it and can't sign in any more. One that is active again is an account of its
# own. UNION ends at a circle, should there ever be one.
LINE = """
    WITH RECURSIVE line(id) AS (
        SELECT id FROM accounts_user WHERE id = %s
        UNION SELECT u.id FROM accounts_user u JOIN line ON u.merged_into_id = line.id WHERE u.status <> 'active'
    ) SELECT id FROM line ORDER BY id
"""


def accounts_of_person(account_id: int) -> list[int]:
    """The ids of the accounts that an erasure concerns, in order."""
    with connection.cursor() as cursor:
        cursor.execute(LINE, [account_id])
        return [pk for (pk,) in cursor.fetchall()]


def lock_before_accounts(ids: Collection[int]) -> None:
    """Take the locks that others take before those of these accounts."""
    privacy.lock_first(person_of(ids))


def erase_accounts(ids: Collection[int]) -> None:
    """Clear all that is personal of these locked accounts, and who stood in which relation to them; end their access.

    Ids stay: what the accounts did stays, under no name. Mails that were kept as files go after the commit.
    """
    person = person_of(ids)
    User.objects.filter(pk__in=ids).update(status=Status.DELETED)
    privacy.erase(person)
    BranchMembership.objects.filter(user__in=ids).delete()
    ManagerAssignment.objects.filter(Q(user__in=ids) | Q(manager__in=ids)).delete()
    AssignedUser.objects.filter(Q(user__in=ids) | Q(power_user__in=ids)).delete()
    AssignedBranch.objects.filter(power_user__in=ids).delete()
    end_access(ids)
    transaction.on_commit(lambda: forget_mails(person), robust=True)
