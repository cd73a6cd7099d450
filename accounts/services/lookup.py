"""Finding the account that an outside system means."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import QuerySet, Value
from django.db.models.functions import Lower
from django.db.models.lookups import Exact

from accounts.models import Alias, User
from accounts.services.text import is_storable


def find_by_identifier(actor: User, value: str) -> User | None:
    """The survivor behind any present or old identifier, among the accounts that `actor` may see.

    Present ones come first (username, e-mail, employee number, external id), then aliases. An identifier that two
    different people hold finds nobody: a feed must not write to the wrong one.
    """
    value = value.strip()
    if not value or not is_storable(value):
        return None
    for found in _ways(value):
        survivors = {account.survivor().pk for account in found.select_related("merged_into")}
        if survivors:
            return (
                User.objects.present().visible_to(actor).filter(pk__in=survivors).first()
                if len(survivors) == 1
                else None
            )
    return None


def aliases_of(value: str) -> QuerySet[Alias]:
    """Every account's aliases with this value, whatever their case."""
    return Alias.objects.filter(Exact(Lower("value"), Lower(Value(value))))


def _ways(value: str) -> Iterator[QuerySet[User]]:
    present = User.objects.present()
    yield present.by_username(value)
    yield present.by_email(value)
    yield present.filter(employee_number=value)
    yield present.filter(external_id=value)
    yield User.objects.filter(aliases__in=aliases_of(value)).distinct()
