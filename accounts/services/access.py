"""Sessions, tokens and reset links: how they end, and the one answer about a password."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone

from accounts.errors import TooManyFailures
from accounts.models import ApiToken, Session, SignInFailure, Status, User
from accounts.services.text import is_storable, storable


def end_access(account_ids: Iterable[int]) -> None:
    """End every session, API token and password-reset link of these accounts, for good.

    The epoch grows, so that neither a session saved a moment later nor an old link comes alive again when the account
    is active once more.
    """
    ids = list(account_ids)
    User.objects.filter(pk__in=ids).update(session_epoch=F("session_epoch") + 1)
    Session.objects.filter(account__in=ids).delete()
    ApiToken.objects.filter(owner__in=ids).delete()


def check_credentials(*, caller: str, username: str, password: str) -> User | None:
    """The active account with this username or e-mail and password, or None for every reason to refuse.

    Failures are counted in PostgreSQL per caller (an address, or the account that asks) and per target. Raises
    TooManyFailures at SIGN_IN_FAILURE_LIMIT of either within SIGN_IN_LOCK_MINUTES. Call it outside a transaction:
    a failure must be kept whatever comes after.
    """
    account = find_by_sign_in(username)
    target = account.username.lower() if account else storable(username).lower()[:150]
    caller = storable(caller)[:100] or "unknown"
    failure = _count_in_advance(caller, target)
    if _is_right(account, password):
        SignInFailure.objects.filter(Q(pk=failure.pk) | Q(caller=caller, target=target)).delete()
        return account
    SignInFailure.objects.filter(pk=failure.pk).update(caller=caller)
    return None


def count_request(*, caller: str, target: str) -> None:
    """Count something that anybody may ask for, such as a reset link, by the same limits. Raises TooManyFailures."""
    caller, target = storable(caller)[:100], storable(target).lower()[:254]
    request = _count_in_advance(caller, target)
    SignInFailure.objects.filter(pk=request.pk).update(caller=caller)


def find_by_sign_in(username: str) -> User | None:
    """The account that a person means who signs in: by username, else by e-mail, whatever the case."""
    if not username.strip() or not is_storable(username):
        return None
    users = User.objects.present()
    name = username.strip()
    account: User | None = users.by_username(name).first() or users.by_email(name).first()
    return account


def _is_right(account: User | None, password: str) -> bool:
    """Takes its time in any case, so that the clock doesn't tell who exists."""
    if account is None:
        User().set_password(storable(password))
        return False
    return account.check_password(storable(password)) and is_storable(password) and account.status == Status.ACTIVE


def _count_in_advance(caller: str, target: str) -> SignInFailure:
    """Book the failure on the target before looking at the password: however many guess at once, none goes uncounted.

    The caller's name is added once it has failed, since many people may sign in behind one address at one moment.
    """
    now = timezone.now()
    since = now - timedelta(minutes=settings.SIGN_IN_LOCK_MINUTES)
    SignInFailure.objects.filter(at__lt=since).delete()
    failure = SignInFailure.objects.create(caller="", target=target, at=now)
    ends = max(_lock_ends(Q(caller=caller), failure.pk), _lock_ends(Q(target=target), failure.pk))
    if ends > now:
        failure.delete()  # a refused try doesn't make the lock longer
        raise TooManyFailures(int((ends - now).total_seconds()) + 1)
    return failure


def _lock_ends(whose: Q, this: int) -> datetime:
    """When fewer than the limit of failures are left to count, this one aside."""
    limit = settings.SIGN_IN_FAILURE_LIMIT
    times = SignInFailure.objects.filter(whose).exclude(pk=this).order_by("-at").values_list("at", flat=True)
    reached = list(times[limit - 1 : limit])
    lock = timedelta(minutes=settings.SIGN_IN_LOCK_MINUTES)
    return reached[0] + lock if reached else datetime.min.replace(tzinfo=timezone.get_default_timezone())
