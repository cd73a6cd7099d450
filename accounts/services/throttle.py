"""How often a password may be guessed: counted in PostgreSQL before it is looked at, whoever counts along.

Strangers are counted per caller and target, per target, and per caller. Browsers that are known to the account, and
its live sessions, are counted apart and each for itself: what strangers do never keeps them out.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, Max, Q
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.errors import TooManyFailures
from accounts.models import SignInFailure
from accounts.services.text import storable

FIRST_WAIT: Final = 15.0  # seconds; doubles with each further failure, up to SIGN_IN_LOCK_MINUTES
ADDRESS_FACTOR: Final = 10  # an address may be a whole office: that many times one caller's limit
ADDRESS_FIRST_WAIT: Final = 1.0
ADDRESS_LONGEST_WAIT: Final = 60.0
SHARED_UNKNOWN: Final = "unknown"  # a request without an address


@dataclass(frozen=True)
class Attempt:
    """One password or request to be counted. Without a `target`: of a known browser or a session, counted alone."""

    caller: str
    target: str = ""

    @property
    def is_from_address(self) -> bool:
        """Many people may share an address; anything else is one caller."""
        return self.caller.startswith(("address ", "reset "))


def target_key(name: str) -> str:
    """What a typed name is counted under: the same for every spelling, and no way back to the name."""
    return target_keys([name])[0]


def target_keys(names: Sequence[str]) -> list[str]:
    """The keys of many names by one statement. What finds an account is compared in PostgreSQL's lower case, which
    isn't Python's for every letter: each difference would be a count of its own for the same account."""
    stripped = [storable(name).strip() for name in names]
    with connection.cursor() as cursor:
        cursor.execute("SELECT lower(v) FROM unnest(%s::text[]) WITH ORDINALITY w(v, place) ORDER BY place", [stripped])
        return [_hidden(lowered) for (lowered,) in cursor.fetchall()]


def _hidden(name: str) -> str:
    return salted_hmac("accounts.throttle", name, algorithm="sha256").hexdigest()[:40]


def address_key(address: str) -> str:
    """An address as a caller: one of IPv6 stands for its whole /64, which one subscriber holds."""
    with suppress(ValueError):
        ip = ipaddress.ip_address(address.partition("%")[0])
        if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is None:
            return str(ipaddress.ip_network((ip, 64), strict=False))
        return str(getattr(ip, "ipv4_mapped", None) or ip)
    return storable(address)[:80] or SHARED_UNKNOWN


def count(attempt: Attempt) -> SignInFailure:
    """Book a failure in advance. Raises TooManyFailures while one of the limits asks to wait.

    An attempt that is refused isn't counted, so that trying on doesn't make the wait longer.
    """
    with transaction.atomic():
        _lock(attempt)
        now = timezone.now()
        ends = max(_all_waits(attempt, now), default=now)
        if ends > now:
            raise TooManyFailures(int((ends - now).total_seconds()) + 1)
        return SignInFailure.objects.create(caller=attempt.caller, target=attempt.target, at=now)


def forgive(attempt: Attempt) -> None:
    """The password was right: this caller's failures on this target are forgotten, and nobody else's."""
    SignInFailure.objects.filter(caller=attempt.caller, target=attempt.target).delete()


def forget_old_failures() -> int:
    """Delete what no limit looks at any more; how many."""
    return SignInFailure.objects.filter(at__lt=timezone.now() - _memory()).delete()[0]


def _lock(attempt: Attempt) -> None:
    """One at a time per caller and per target, in one order, until the failure is booked: no guess goes uncounted.

    Advisory, since a name that nobody has has no row to lock; exclusive, since everybody who counts also books.
    """
    names = [f"caller {attempt.caller}", *([f"target {attempt.target}"] if attempt.target else [])]
    numbers = sorted(int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), signed=True) for name in names)
    with connection.cursor() as cursor:
        for number in numbers:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])


def _all_waits(attempt: Attempt, now: datetime) -> list[datetime]:
    limit, lock = settings.SIGN_IN_FAILURE_LIMIT, 60.0 * settings.SIGN_IN_LOCK_MINUTES
    alone = Q(caller=attempt.caller, target=attempt.target)
    waits = [_growing_wait(alone, limit, FIRST_WAIT, lock, now)]
    if attempt.target:
        target, a_minute = Q(target=attempt.target), settings.SIGN_IN_TARGET_LIMIT
        waits.append(_window(target, a_minute, 60.0, now))
        waits.append(_window(target, max(2 * limit, a_minute), lock, now))
        waits.append(_wait_of_caller(attempt, now))
    return [wait for wait in waits if wait is not None]


def _wait_of_caller(attempt: Attempt, now: datetime) -> datetime | None:
    """Of one who tries many targets, or of an address behind which many people may sit."""
    limit, lock = settings.SIGN_IN_FAILURE_LIMIT, 60.0 * settings.SIGN_IN_LOCK_MINUTES
    whose = Q(caller=attempt.caller)
    if attempt.is_from_address:
        return _growing_wait(whose, ADDRESS_FACTOR * limit, ADDRESS_FIRST_WAIT, ADDRESS_LONGEST_WAIT, now)
    return _growing_wait(whose, limit, FIRST_WAIT, lock, now)


def _growing_wait(whose: Q, limit: int, first: float, longest: float, now: datetime) -> datetime | None:
    """From the limit on each failure doubles the wait after the last."""
    found = SignInFailure.objects.filter(whose, at__gt=now - _memory()).aggregate(count=Count("pk"), last=Max("at"))
    if found["count"] < limit or found["last"] is None:
        return None
    doublings = min(found["count"] - limit, 32)
    last: datetime = found["last"]
    return last + timedelta(seconds=min(first * 2**doublings, longest))


def _window(whose: Q, limit: int, seconds: float, now: datetime) -> datetime | None:
    """No more than `limit` within so many seconds, whoever they come from."""
    length = timedelta(seconds=seconds)
    times = SignInFailure.objects.filter(whose, at__gt=now - length).order_by("-at").values_list("at", flat=True)
    reached = list(times[limit - 1 : limit])
    return reached[0] + length if reached else None


def _memory() -> timedelta:
    """How long failures count: so long that the longest wait doesn't begin anew each time."""
    return timedelta(minutes=4 * settings.SIGN_IN_LOCK_MINUTES)
