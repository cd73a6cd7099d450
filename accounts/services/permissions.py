"""May this actor write for this account, now? The one place that decides it: under lock, on the account that is written.

A right, a role, an assignment or an account can end between the moment when somebody asks and the moment when the work
runs: in a form, in a request that waits, in a file of a thousand rows, in a task of tomorrow. So whatever a door found
out before, every service asks here again, in the transaction that writes, holding the actor's own row. Whoever takes
the right away waits for that transaction, and whoever comes later sees that it is gone.

`actor_id` None is the portal itself: equivalencies that are owed, commands of the operator.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db import connection
from django.db.models import QuerySet

from accounts.errors import NotAllowed, UnknownAccount
from accounts.models import Right, Role, User
from accounts.services.authority import as_now
from accounts.services.locks import ACTS, lock, lock_targets

PLACES = """
    SELECT FROM accounts_branchmembership WHERE user_id = ANY(%s) OR merged_from_id = ANY(%s) ORDER BY id FOR KEY SHARE
"""
BRANCHES = """
    WITH RECURSIVE up(id) AS (
        SELECT branch_id FROM accounts_branchmembership WHERE user_id = ANY(%s) OR merged_from_id = ANY(%s)
        UNION SELECT b.parent_id FROM accounts_branch b JOIN up ON up.id = b.id WHERE b.parent_id IS NOT NULL
    ) SELECT FROM accounts_branch WHERE id IN (SELECT id FROM up) ORDER BY id FOR SHARE
"""
PRIVILEGED = "Only a superadmin may do this to a power user or superadmin."


def lock_for_writing(account_ids: Iterable[int], *, actor_id: int | None) -> dict[int, int]:
    """Lock these accounts and the actor, and check that the actor may write for them with Users/Edit.

    Returns, for each, the account to write to: itself, or its survivor when it was merged and isn't active any more.
    Deleted accounts without a survivor are missing. Raises UnknownAccount, naming those that the actor may not see or
    whose survivor they may not see, and NotAllowed.
    """
    wanted = set(account_ids)
    targets = lock_targets(wanted, actor_id)
    if actor_id is not None:
        check_writer(actor_id, {account: targets.get(account, account) for account in wanted})
    return targets


def lock_owners(account_ids: Iterable[int], *, actor_id: int | None) -> set[int]:
    """As lock_for_writing, for rows that these accounts hold already: no survivor comes in. Returns those not deleted."""
    wanted = set(account_ids)
    targets = lock_targets(wanted, actor_id)
    if actor_id is not None:
        check_writer(actor_id, {account: account for account in wanted})
    return wanted & targets.keys()


def lock_actor(actor_id: int) -> User:
    """The account that acts, as it is now; nobody takes a right from it before the caller's transaction ends."""
    lock({actor_id: ACTS})
    actor: User = User.objects.get(pk=actor_id)
    return actor


def check_writer(actor_id: int, targets: Mapping[int, int], right: Right = Right.EDIT) -> None:
    """Raise unless the actor may write for these accounts, given with the account that is written; all are locked."""
    actor = User.objects.get(pk=actor_id)
    need_right(actor, right)
    if actor.is_superadmin or not targets:
        return
    both = {*targets, *targets.values()}
    _lock_places(both)
    roles = dict(User.objects.visible_to(actor).filter(pk__in=both).values_list("pk", "role"))
    unknown = {named for named, written in targets.items() if not {named, written} <= roles.keys()}
    if unknown:
        raise UnknownAccount(account_ids=unknown)
    if any(roles[written] != Role.LEARNER for written in targets.values()):
        raise NotAllowed(PRIVILEGED)


def _lock_places(account_ids: set[int]) -> None:
    """Keep the accounts in their branches, and those in the tree: they may be what assigns the accounts to the actor.

    FOR KEY SHARE excludes whoever takes an account out of a branch, and a merge that moves its place; FOR SHARE
    excludes whoever moves a branch. The accounts' other data, and new members, don't wait.
    """
    ids = [list(account_ids)] * 2
    with connection.cursor() as cursor:
        cursor.execute(PLACES, ids)
        cursor.execute(BRANCHES, ids)


def need_right(actor: User, right: Right) -> None:
    """Raise NotAllowed unless the account, as it was read, is active and holds the right."""
    if not actor.has_right(right):
        raise NotAllowed(f"This takes the right {right.label}. Ask a superadmin for it.")


def writable_by(actor: User) -> QuerySet[User]:
    """The accounts for which `actor` may write: all for a superadmin, visible learners with Users/Edit."""
    users: QuerySet[User] = User.objects.visible_to(actor)
    if actor.is_superadmin:
        return users
    return users.filter(role=Role.LEARNER) if actor.has_right(Right.EDIT) else users.none()


def find_subject(actor: User, account_id: int, right: Right) -> User:
    """The account that `actor` wants to act on, as it is now; both are locked.

    Raises UnknownAccount when it isn't theirs to see, NotAllowed without the right or on a privileged account.
    """
    actor = as_now(actor)
    subject: User | None = User.objects.visible_to(actor).filter(pk=account_id).first()
    if subject is None:
        raise UnknownAccount
    need_right(actor, right)
    if subject.role != Role.LEARNER and not actor.is_superadmin:
        raise NotAllowed(PRIVILEGED)
    return subject
