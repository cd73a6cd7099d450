"""Usernames and e-mail addresses: one person each, old ones of merged accounts included."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db import IntegrityError

from accounts.errors import FieldsInvalid
from accounts.models import Alias, User
from accounts.services.fields import Problems
from accounts.services.lookup import aliases_of

LABELS = {"username": "username", "email": "e-mail address"}
SIGN_IN = (Alias.Kind.USERNAME, Alias.Kind.EMAIL)


def check_free(account: User, changed: Iterable[str], problems: Problems) -> dict[str, int]:
    """Whether the account may have its new username and e-mail. Answers what it takes over, and from which account.

    Taken is what another account signs in with, and what still finds another person after a merge: given to somebody
    else, a nightly feed would write to the wrong one. The survivor itself may take over what its source released.
    """
    taken_over: dict[str, int] = {}
    for field, label in LABELS.items():
        value = getattr(account, field)
        if field not in changed or not value:
            continue
        holder = _holder(account, value)
        old = _old_accounts(account, value)
        if holder is not None:
            problems.add(field, "unique", _in_use(field, account, holder))
        elif old - {account.pk}:
            problems.add(field, "unique", f"This {label} still finds a person whose accounts were merged.")
        elif old:
            taken_over[field] = account.pk
    return taken_over


def as_problem(error: IntegrityError) -> FieldsInvalid:
    """The error of somebody who was faster, in words."""
    for field, constraint in (("username", "one_username"), ("email", "one_email")):
        if constraint in str(error):
            return FieldsInvalid([{"field": field, "code": "unique", "detail": f"This {LABELS[field]} is in use."}])
    raise error


def _holder(account: User, value: str) -> User | None:
    """Another account that signs in with it, by username or by e-mail."""
    others = User.objects.exclude(pk=account.pk)
    holder: User | None = others.by_username(value).first() or others.by_email(value).first()
    return holder


def _old_accounts(account: User, value: str) -> set[int]:
    """The survivors that still answer to it."""
    aliases = aliases_of(value).filter(kind__in=SIGN_IN).select_related("user__merged_into")
    return {alias.user.survivor().pk for alias in aliases}


def _in_use(field: str, account: User, holder: User) -> str:
    if account.pk and holder.survivor().pk == account.pk:
        return (
            f"This {LABELS[field]} is in use by account {holder.pk}, which was merged into this one. "
            "Delete that account, or give it another one first."
        )
    return f"This {LABELS[field]} is in use."


def audit_detail(taken_over: Mapping[str, int]) -> dict[str, list[str]]:
    """What the audit entry says of it: fields alone, never values."""
    return {"taken_over": sorted(taken_over)} if taken_over else {}
