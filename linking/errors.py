"""What can stand in the way of a link. Each error has a stable code and a sentence; nothing about HTTP."""

from __future__ import annotations


class LinkRefused(Exception):
    """A link that wasn't made."""

    code = "link_refused"
    detail = "The accounts were not linked."

    def __init__(self, detail: str = "") -> None:
        self.detail = detail or self.detail
        super().__init__(self.detail)


class CredentialsRefused(LinkRefused):
    """For every reason about the other account; the answer never tells which."""

    code = "credentials_refused"
    detail = "These credentials don't belong to an account that can be linked."


class OwnAccount(LinkRefused):
    code = "own_account"
    detail = "This is the account that you are signed in with. Enter the credentials of your other one."


class GroupIsFull(LinkRefused):
    code = "group_is_full"


class CallerMayNotLink(LinkRefused):
    code = "not_a_learner"
    detail = "Only learners link accounts."


class AccountsAreBusy(LinkRefused):
    code = "accounts_are_busy"
    detail = "Somebody else is working on one of these accounts. Try again in a moment."
