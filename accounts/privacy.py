"""What accounts hold about people. The sign-in names of a deleted account are free for others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db.models import CharField, Model, Q, Value
from django.db.models.functions import Cast, Concat

from accounts.models import Alias, ProfileValue, Session, SignInFailure, User
from accounts.services.throttle import forget_old_failures, target_keys
from privacy.erasers import Remove
from privacy.person import Person, usable
from privacy.registry import moments, not_personal, personal, purge

CATALOGUE = "a word of the organisation's, which its superadmins choose"
STATE = "one of a few fixed words"
IDENTIFYING = ("username", "email", "employee_number", "external_id", "phone")
NAMES = "first_name last_name job_title language timezone"
BLANK: dict[str, Any] = dict.fromkeys(("email", *IDENTIFYING[2:], *NAMES.split()), "")


def person_of(account_ids: Iterable[int]) -> Person:
    """Who these accounts are, read before anything is erased; their names, and what others know them by."""
    users = list(User.objects.filter(pk__in=list(account_ids)).order_by("pk"))
    ids = [user.pk for user in users]
    known_by = [getattr(user, name) for user in users for name in IDENTIFYING]
    for user in users:
        first, last = user.first_name.strip(), user.last_name.strip()
        if first and last:
            known_by += [f"{first} {last}", f"{last} {first}", f"{last}, {first}"]
    known_by += Alias.objects.filter(user__in=ids).values_list("value", flat=True)
    names = [getattr(user, name) for user in users for name in ("first_name", "last_name")]
    custom = list(ProfileValue.objects.filter(user__in=ids).values_list("value", flat=True))
    return Person(ids, usable([*names, *custom]), usable(known_by), _survivors(users))


def _survivors(users: Iterable[User]) -> list[int]:
    """Those that took the data over, and aren't erased with them."""
    found: dict[int, None] = {}
    for user in users:
        into = user.merged_into
        while into is not None and into.pk not in found:
            found[into.pk] = None
            into = into.merged_into
    return [pk for pk in found if pk not in {user.pk for user in users}]


def _erase_users(person: Person, model: type[Model], columns: Sequence[str]) -> None:
    """The row stays, for what it did: under a name made of its id, without a password."""
    name = Concat(Value("deleted-"), Cast("pk", CharField()))
    nothing: dict[str, Any] = {"birth_date": None, "last_login": None, "rights": [], "email_state": "unverified"}
    users = User.objects.filter(pk__in=list(person.ids))
    users.update(username=name, password=make_password(None), **nothing, **BLANK)


def _forget_failures(person: Person, model: type[Model], columns: Sequence[str]) -> None:
    """Counted under hashes of what was typed; those of the person's own names are found again."""
    targets = target_keys(sorted(person.identifiers))
    callers = [f"account {pk}" for pk in person.ids]
    SignInFailure.objects.filter(Q(target__in=targets) | Q(caller__in=callers)).delete()


def _purge_failures(now: datetime) -> int:
    return forget_old_failures()


def _purge_sessions(now: datetime) -> int:
    return Session.objects.filter(expire_date__lt=now).delete()[0]


moments("accounts")
personal(
    "accounts.User",
    "username email first_name last_name employee_number external_id phone job_title birth_date password last_login "
    "language timezone email_state rights",
    erase=_erase_users,
)
not_personal("accounts.User", "role status", STATE)
personal("accounts.ProfileValue", "value", erase=Remove("user"))
personal("accounts.Alias", "value", erase=Remove("user"))
not_personal("accounts.Alias", "kind", STATE)
personal("accounts.ApiToken", "name", erase=Remove("owner"))
not_personal("accounts.ApiToken", "hash start", "made by chance; it ends with the account")
not_personal("accounts.ApiToken", "scopes", STATE)
personal("accounts.Session", "session_data address browser", erase=Remove("account"), kept="until it ends")
not_personal("accounts.Session", "session_key", "made by chance; it ends with the account")
personal("accounts.SignInFailure", "caller target", erase=_forget_failures, kept="4 times SIGN_IN_LOCK_MINUTES")
not_personal("accounts.Branch", "name", CATALOGUE)
not_personal("accounts.ProfileField", "key label type options", CATALOGUE)
purge("sign-in failures", after="4 times SIGN_IN_LOCK_MINUTES", run=_purge_failures)
purge("sessions", after="their end", run=_purge_sessions)
