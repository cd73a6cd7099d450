"""What can stand in the way of an act on an account. Stable codes and sentences for people; nothing about HTTP."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


class AccountError(Exception):
    """An act that didn't happen. `facts` are plain values for machines."""

    code = "refused"
    detail = "This can't be done."

    def __init__(self, detail: str = "", *, facts: Mapping[str, Any] | None = None) -> None:
        self.detail = detail or self.detail
        self.facts = dict(facts or {})
        super().__init__(self.detail)


class UnknownAccount(AccountError):
    """It doesn't exist, or isn't the actor's to see: the answer is the same. `account_ids`: which of those named."""

    code = "not_found"
    detail = "There is no such account."

    def __init__(self, detail: str = "", *, account_ids: Iterable[int] = ()) -> None:
        self.account_ids = frozenset(account_ids)
        super().__init__(detail)


class NotAllowed(AccountError):
    code = "not_allowed"
    detail = "You don't have the right to do this."


class ScopeMissing(NotAllowed):
    """The actor holds the right, but the token that acts for the actor doesn't have the scope."""

    code = "scope_missing"
    detail = "This token lacks a scope."


class AmbiguousIdentifier(AccountError):
    """Two people, both known to the actor, are found by one identifier."""

    code = "ambiguous_identifier"
    detail = "Several accounts have this identifier. Give the ID of the one you mean."


class FieldsInvalid(AccountError):
    """Values that can't be kept. `errors` name the field, a code and a sentence each."""

    code = "invalid"
    detail = "Some values can't be kept."

    def __init__(self, errors: Sequence[Mapping[str, str]]) -> None:
        self.errors = [dict(error) for error in errors]
        super().__init__(" ".join(error["detail"] for error in self.errors))


class AccountDeleted(AccountError):
    code = "account_deleted"
    detail = "This account was deleted. Deleted accounts can't be changed or reinstated."


class AccountMerged(AccountError):
    """The account lives on in its survivor; `facts` name it when the actor may see it."""

    code = "already_merged"
    detail = "This account was merged and is inactive. Change the account that it was merged into."


class SignInAgain(Exception):
    """The act needs a recent sign-in. No AccountError: pages must not show it beside a form, but ask for the password."""

    code = "sign_in_again"
    detail = "Your last sign-in is too long ago for this. Sign in again."


class OwnAccount(AccountError):
    code = "own_account"
    detail = "You can't do this to your own account."


class LastSuperadmin(AccountError):
    code = "last_superadmin"
    detail = "This is the last active superadmin. Make somebody else superadmin first."


class TooManyFailures(AccountError):
    """Too many refused passwords, by this caller or on this target. `retry_after` is in seconds."""

    code = "too_many_failures"

    def __init__(self, retry_after: int) -> None:
        self.retry_after = retry_after
        number, unit = (retry_after, "second") if retry_after < 60 else (-(-retry_after // 60), "minute")
        super().__init__(f"Too many attempts failed. Try again in {number} {unit}{'' if number == 1 else 's'}.")
