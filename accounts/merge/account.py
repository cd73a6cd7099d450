"""Who may merge whom, and what becomes of the source account itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.conf import settings

from accounts.models import Right, Role, Status, User
from accounts.services import end_access
from merging.handlers import Case, Change, MergeHandler, Notice, Outcome, register

if TYPE_CHECKING:
    from merging.models import Merge

NEEDS = "Merging takes a superadmin, or a power user with Users/View and Users/Edit to whom both accounts are assigned."


@register
class AccountHandler(MergeHandler):
    key = section = "account"
    claims = ()
    only_moves = False

    def plan(self, case: Case) -> Iterator[Change]:
        """The source names its survivor, once and for all later merges; it becomes inactive when the policy says so."""
        source = case.source
        before: dict[str, Any] = {"merged_into_id": source.merged_into_id}
        after: dict[str, Any] = {"merged_into_id": source.merged_into_id or case.destination.pk}
        if source.status != _status_after(case):  # a column that doesn't change would bind a later undo to it
            before["status"], after["status"] = str(source.status), _status_after(case)
        outcome = Outcome.STAYS if before == after else Outcome.CHANGED
        yield Change(User, source.pk, before, after, outcome, _reason(case), what=f"Account {source.username}")

    def blockers(self, case: Case, actor: User) -> Iterator[Notice]:
        if not settings.MERGING_ENABLED:
            yield Notice(
                "merging_is_off", "Merging is switched off for this portal. Merges done before can still be undone."
            )
        if not may_merge(actor, case):
            yield Notice("not_allowed", f"You may not merge these accounts. {NEEDS}")
        elif case.source.pk == case.destination.pk:
            yield Notice("same_account", "Source and destination are one account. Choose two different ones.")
        else:
            yield from _about_subjects(case)
            yield from _about_earlier_merges(case, actor)

    def warnings(self, case: Case) -> Iterator[Notice]:
        if case.policy.deactivates_source and case.source.status == Status.ACTIVE:
            yield Notice(
                "login_changes",
                f"The person can't sign in as {case.source.username} any more, only as {case.destination.username}. "
                "Consider telling them.",
            )

    def settle(self, case: Case, merge: Merge) -> None:
        if _status_after(case) != Status.ACTIVE:
            end_access([case.source.pk])


def may_merge(actor: User, case: Case) -> bool:
    """Whether the actor holds the rights, and may know of both accounts."""
    if not (actor.has_right(Right.VIEW) and actor.has_right(Right.EDIT)):
        return False
    if actor.is_superadmin:
        return True
    both = {case.source.pk, case.destination.pk}
    seen: int = User.objects.visible_to(actor).filter(pk__in=both).count()
    return seen == len(both)


def _status_after(case: Case) -> str:
    return str(Status.INACTIVE if case.policy.deactivates_source else case.source.status)


def _reason(case: Case) -> str:
    if case.source.merged_into_id:
        return "merged into this account before"
    if case.policy.deactivates_source:
        return "merged into the destination, and inactive from now on"
    return "merged into the destination; deactivating or deleting it is a separate act"


def _about_subjects(case: Case) -> Iterator[Notice]:
    for name, account in (("source", case.source), ("destination", case.destination)):
        if account.status == Status.DELETED:
            yield Notice("account_deleted", f"The {name} was deleted. Choose an account that still exists.")
        elif account.role != Role.LEARNER:
            detail = f"The {name} is a {account.get_role_display().lower()}. Only learner accounts can be merged."
            yield Notice("not_a_learner", detail, {"account": name})


def _about_earlier_merges(case: Case, actor: User) -> Iterator[Notice]:
    """A source goes only where it went before; data always goes to the end of a chain, so that none turns in a circle."""
    source, destination = case.source, case.destination
    if source.merged_into_id and source.survivor().pk != destination.pk:
        yield _merged(actor, source, "source", "It can be merged again only into {}.")
    if destination.status == Status.INACTIVE:
        detail = "The destination is inactive. Reactivate it first, or choose another account."
        if destination.merged_into_id:
            detail = f"The destination is inactive, and was merged itself. {_named(actor, destination)}"
        yield Notice("inactive_destination", detail, _facts(actor, destination) if destination.merged_into_id else {})
    elif destination.merged_into_id:
        yield _merged(actor, destination, "destination", "Merge into {} instead.")


def _merged(actor: User, account: User, name: str, remedy: str) -> Notice:
    detail = f"The {name} was merged already. {remedy.format(_survivor_in_words(actor, account))}"
    return Notice("already_merged", detail, _facts(actor, account))


def _named(actor: User, account: User) -> str:
    return f"Merge into {_survivor_in_words(actor, account)} instead."


def _survivor_in_words(actor: User, account: User) -> str:
    """By name and id, unless the actor may not know of it."""
    survivor = account.survivor()
    return f"{survivor} (account {survivor.pk})" if _facts(actor, account) else "its survivor"


def _facts(actor: User, account: User) -> dict[str, int]:
    survivor = account.survivor()
    seen = User.objects.visible_to(actor).filter(pk=survivor.pk).exists()
    return {"survivor": survivor.pk} if seen else {}
