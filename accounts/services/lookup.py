"""Finding the account that an outside system means."""

from __future__ import annotations

from django.db.models import QuerySet, Value
from django.db.models.functions import Lower
from django.db.models.lookups import Exact

from accounts.errors import AmbiguousIdentifier
from accounts.models import Alias, User
from accounts.services.text import is_storable


def find_by_identifier(actor: User, value: str) -> User | None:
    """The survivor behind any present or old identifier, among the accounts that `actor` may see.

    Present ones come first (username, e-mail, employee number, external id), then aliases. Raises AmbiguousIdentifier
    when it finds two people: a feed must not write to the wrong one. Whom the actor may not see counts for nobody.
    """
    value = value.strip()
    if not value or not is_storable(value):
        return None
    for found in (_present(value), _old(value)):
        survivors = {account.survivor().pk for account in found.select_related("merged_into")}
        people: list[User] = list(User.objects.present().visible_to(actor).filter(pk__in=survivors)[:2])
        if len(people) > 1:
            raise AmbiguousIdentifier
        if people:
            return people[0]
    return None


def aliases_of(value: str) -> QuerySet[Alias]:
    """Every account's aliases with this value, whatever their case."""
    return Alias.objects.filter(Exact(Lower("value"), Lower(Value(value))))


def _present(value: str) -> QuerySet[User]:
    """By each column its own probe of an index, all in one statement."""
    present = User.objects.present().order_by().only("pk")
    ways = (
        present.by_username(value),
        present.by_email(value),
        present.filter(employee_number=value),
        present.filter(external_id=value),
    )
    ids = ways[0].values_list("pk").union(*(way.values_list("pk") for way in ways[1:]))
    found: QuerySet[User] = User.objects.filter(pk__in=[pk for (pk,) in ids])
    return found


def _old(value: str) -> QuerySet[User]:
    found: QuerySet[User] = User.objects.filter(aliases__in=aliases_of(value)).distinct()
    return found
