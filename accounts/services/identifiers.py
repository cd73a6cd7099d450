"""What finds a person: usernames, e-mail addresses, employee numbers, external ids, old ones of merged accounts included.

Two families. A person signs in with a username or an e-mail address: each is one person's alone. Employee numbers and
external ids are another system's: two accounts may hold the same. But no word of one family may be another person's in
the other family, or a look-up by it would find two people, and a feed could write to the wrong one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import IntegrityError, connection

from accounts.errors import FieldsInvalid
from accounts.models import Alias, User
from accounts.services.fields import Problems
from accounts.services.lookup import aliases_of

LABELS = {"username": "username", "email": "e-mail address"}
NUMBERS = {"employee_number": "employee number", "external_id": "external ID"}
FOUND_BY: Final = (*LABELS, *NUMBERS)
SIGN_IN = (Alias.Kind.USERNAME, Alias.Kind.EMAIL)
OF_ANOTHER: Final = "This is another person's {}. One identifier can't find two people; choose another {}."

# One lock per word, in one order, until the transaction ends: of two who want the same word for two people, the second
# looks when the first has written. A unique index can't say it, since numbers may be held twice.
LOCK_WORDS = """
    SELECT pg_advisory_xact_lock(key) FROM (
        SELECT DISTINCT hashtextextended(lower(v), 7301) AS key FROM unnest(%s::text[]) v ORDER BY 1
    ) keys
"""
# Who holds these words, lowered as PostgreSQL does, in which family: what a person signs in with, or a number.
HOLDERS = """
    WITH words AS (SELECT DISTINCT v AS word, lower(v) AS lowered FROM unnest(%s::text[]) v)
    SELECT word, TRUE, u.id FROM words JOIN accounts_user u ON lower(u.username) = lowered
    UNION SELECT word, TRUE, u.id FROM words JOIN accounts_user u ON lower(u.email) = lowered AND u.email <> ''
    UNION SELECT word, FALSE, u.id FROM words
        JOIN accounts_user u ON lower(u.employee_number) = lowered AND u.employee_number <> ''
    UNION SELECT word, FALSE, u.id FROM words JOIN accounts_user u ON lower(u.external_id) = lowered AND u.external_id <> ''
    UNION SELECT word, a.kind IN ('username', 'email'), a.user_id FROM words
        JOIN accounts_alias a ON lower(a.value) = lowered
"""


@dataclass(frozen=True)
class Wish:
    """An account wants this word in this field; `prefix` stands before the field in what is said about it."""

    account: User
    field: str
    word: str
    prefix: str = ""

    @property
    def is_sign_in(self) -> bool:
        return self.field in LABELS


def check_free(
    account: User, changed: Iterable[str], problems: Problems, *, actor: User | None = None
) -> dict[str, int]:
    """Whether the account may have its new identifiers. Returns what it takes over, and from which account.

    Taken is what another account signs in with, and what still finds another person after a merge: given to somebody
    else, a nightly feed would write to the wrong one. The survivor itself may take over what its source released.
    """
    wishes = list(wishes_of(account, {name: getattr(account, name, "") for name in changed}))
    lock_words(wish.word for wish in wishes)
    problems.errors += map(clash, clashing(wishes))
    return check_sign_in(account, changed, problems, actor=actor)


def check_sign_in(
    account: User, changed: Iterable[str], problems: Problems, *, actor: User | None = None
) -> dict[str, int]:
    """The half of check_free about usernames and e-mail addresses; the words are locked."""
    taken_over: dict[str, int] = {}
    for field, label in LABELS.items():
        value = getattr(account, field)
        if field not in changed or not value:
            continue
        holder = _holder(account, value)
        old = _old_accounts(account, value)
        if holder is not None:
            problems.add(field, "unique", _in_use(field, account, holder, actor))
        elif old - {account.pk}:
            problems.add(field, "unique", f"This {label} still finds a person whose accounts were merged.")
        elif old:
            taken_over[field] = account.pk
    return taken_over


def check_all_free(rows: Sequence[tuple[User, Mapping[str, Any], str]]) -> list[dict[str, str]]:
    """As check_free for many accounts, each with its new values and a prefix for its fields; returns the problems."""
    lock_words(wish.word for account, values, prefix in rows for wish in wishes_of(account, values, prefix))
    return find_taken(rows)


def find_taken(rows: Sequence[tuple[User, Mapping[str, Any], str]]) -> list[dict[str, str]]:
    """As check_all_free, to look and not to write: the words aren't kept.

    Two of the rows that want one word are told apart too, by the family rule; one username for two is left to the
    unique index.
    """
    wishes = [wish for account, values, prefix in rows for wish in wishes_of(account, values, prefix)]
    return taken(wishes) + [clash(wish) for wish in clashing(wishes)]


def lock_words(words: Iterable[str]) -> None:
    """Keep these identifiers for the caller's transaction. After rows of accounts, before looking who holds them."""
    wanted = sorted({word for word in words if word})
    if wanted:
        with connection.cursor() as cursor:
            cursor.execute(LOCK_WORDS, [wanted])


def clashing(wishes: Sequence[Wish]) -> list[Wish]:
    """Those whose word another person holds in the other family, or another of these wants; the words are locked."""
    held: dict[str, set[tuple[bool, int]]] = {}
    for word, is_sign_in, account in _holders({wish.word for wish in wishes}):
        held.setdefault(word, set()).add((is_sign_in, account))
    holders = {account for found in held.values() for _, account in found}
    people = _people(holders | {wish.account.pk for wish in wishes}) if holders else {}
    wanted: dict[str, list[Wish]] = {}
    for wish in wishes:
        wanted.setdefault(wish.word.lower(), []).append(wish)
    found = []
    for wish in wishes:
        me = people.get(wish.account.pk, wish.account.pk)
        others = {people[pk] for kind, pk in held.get(wish.word, ()) if kind != wish.is_sign_in} - {me}
        rivals = (one for one in wanted[wish.word.lower()] if one.is_sign_in != wish.is_sign_in)
        if others or any(one.account is not wish.account for one in rivals):
            found.append(wish)
    return found


def taken(wishes: Sequence[Wish]) -> list[dict[str, str]]:
    """The wishes for a username or e-mail address that another account, or an old name of another person, has."""
    signs_in: dict[str, set[int]] = {}
    for word, is_sign_in, account in _holders({wish.word for wish in wishes if wish.is_sign_in}):
        if is_sign_in:
            signs_in.setdefault(word, set()).add(account)
    return [
        {
            "field": wish.prefix + wish.field,
            "code": "unique",
            "detail": f"This {LABELS[wish.field]} is in use by another account.",
        }
        for wish in wishes
        if wish.is_sign_in and signs_in.get(wish.word, set()) - {wish.account.pk}
    ]


def as_problem(error: IntegrityError) -> FieldsInvalid:
    """The error of somebody who was faster, in words."""
    for field, constraint in (("username", "one_username"), ("email", "one_email")):
        if constraint in str(error):
            return FieldsInvalid([{"field": field, "code": "unique", "detail": f"This {LABELS[field]} is in use."}])
    raise error


def wishes_of(account: User, values: Mapping[str, Any], prefix: str = "") -> Iterable[Wish]:
    """What an account wants by these values of its fields."""
    for field in FOUND_BY:
        if values.get(field):
            yield Wish(account, field, str(values[field]), prefix)


def clash(wish: Wish) -> dict[str, str]:
    """What is said about a wish that clashes."""
    mine = {**LABELS, **NUMBERS}[wish.field]
    theirs = "employee number or external ID" if wish.is_sign_in else "username or e-mail address"
    return {"field": wish.prefix + wish.field, "code": "unique", "detail": OF_ANOTHER.format(theirs, mine)}


def _holders(words: set[str]) -> list[tuple[str, bool, int]]:
    if not words:
        return []
    with connection.cursor() as cursor:
        cursor.execute(HOLDERS, [sorted(words)])
        found: list[tuple[str, bool, int]] = cursor.fetchall()
    return found


def _people(account_ids: set[int]) -> dict[int, int]:
    """Each account with the survivor that stands for its person."""
    accounts = User.objects.select_related("merged_into").filter(pk__in=account_ids) if account_ids else ()
    return {account.pk: account.survivor().pk for account in accounts}


def _holder(account: User, value: str) -> User | None:
    """Another account that signs in with it, by username or by e-mail."""
    others = User.objects.exclude(pk=account.pk)
    holder: User | None = others.by_username(value).first() or others.by_email(value).first()
    return holder


def _old_accounts(account: User, value: str) -> set[int]:
    """The survivors that still answer to it."""
    aliases = aliases_of(value).filter(kind__in=SIGN_IN).select_related("user__merged_into")
    return {alias.user.survivor().pk for alias in aliases}


def _in_use(field: str, account: User, holder: User, actor: User | None) -> str:
    """Names the merged account that still has it to those who may know of that."""
    if account.pk and holder.survivor().pk == account.pk:
        known = actor is not None and User.objects.visible_to(actor).filter(pk=holder.pk).exists()
        return (
            f"This {LABELS[field]} is in use by {f'account {holder.pk}' if known else 'an account'}, "
            "which was merged into this one. Delete that account, or give it another one first."
        )
    return f"This {LABELS[field]} is in use."


def audit_detail(taken_over: Mapping[str, int]) -> dict[str, list[str]]:
    """What the audit entry says of it: fields alone, never values."""
    return {"taken_over": sorted(taken_over)} if taken_over else {}
