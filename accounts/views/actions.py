"""What an actor may do to an account, as a row's menu, the sidebar and the account's own page offer it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse

from accounts.models import Right, Status, User


@dataclass(frozen=True)
class Action:
    label: str
    icon: str
    address: str
    in_panel: bool = False
    is_danger: bool = False


def actions_for(actor: User, account: User, *, keep: bool = False) -> list[Action]:
    """In the order of the menu. `keep`: Merge User begins with the account as the one that is kept."""
    found = [Action("View", "eye", reverse("accounts:user", args=[account.pk]))]
    if account.status == Status.DELETED:
        return found
    if may_edit(actor, account):
        found.append(Action("Edit", "pencil", reverse("accounts:edit_user", args=[account.pk])))
        found.append(Action("Enroll", "book-plus", reverse("learning_records:enroll", args=[account.pk])))
        receive = reverse("learning_records:receive", args=[account.pk])
        found.append(Action("Add learning record", "file-plus", receive))
    return [*_merging(actor, account, keep), *found, *_life(actor, account)]


def may_edit(actor: User, account: User) -> bool:
    """Superadmins edit everybody; power users with the right, the learners that they see."""
    return actor.is_superadmin or (actor.has_right(Right.EDIT) and account.is_learner)


def _merging(actor: User, account: User, keep: bool) -> Iterator[Action]:
    if not (account.is_learner and actor.has_right(Right.VIEW) and actor.has_right(Right.EDIT)):
        return
    query = f"destination={account.pk}&policy=keep_primary" if keep else f"source={account.pk}"
    if settings.MERGING_ENABLED:
        yield Action("Merge User", "git-merge", f"{reverse('merging:new')}?{query}", in_panel=not keep)
    yield Action("Consolidate manually", "list-checks", f"{reverse('consolidation:begin')}?user={account.pk}")


def _life(actor: User, account: User) -> Iterator[Action]:
    if account.pk == actor.pk or not may_edit(actor, account):
        return
    if account.status == Status.ACTIVE:
        if account.email:
            yield Action("Send password reset", "mail", reverse("accounts:send_reset", args=[account.pk]))
        yield Action("Sign out everywhere", "log-out", reverse("accounts:sign_out_everywhere", args=[account.pk]))
        yield Action("Deactivate", "power-off", reverse("accounts:deactivate", args=[account.pk]))
    else:
        yield Action("Reactivate", "power", reverse("accounts:reactivate", args=[account.pk]))
    if actor.has_right(Right.DELETE):
        yield Action("Delete", "trash-2", reverse("accounts:delete", args=[account.pk]), is_danger=True)
