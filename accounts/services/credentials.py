"""The one answer about a password, for every door that asks for one."""

from __future__ import annotations

from hashlib import sha256

from accounts.devices import Device
from accounts.models import Status, User
from accounts.services import throttle
from accounts.services.text import is_storable, storable
from accounts.services.throttle import Attempt
from audit import trail


def check_credentials(*, caller: str, username: str, password: str, device: Device | None = None) -> User | None:
    """The active account with this username or e-mail and password, or None for every reason to refuse.

    `caller` is an address, or `account 7` for an account that asks. A `device` that is known to the account has a
    count of its own; everybody else is counted per caller and per name that was typed. Raises TooManyFailures, alike
    for names that nobody has. Call it outside a transaction: a failure must be kept whatever comes after.
    """
    account = find_by_sign_in(username)
    attempt = _attempt(caller, username, account, device)
    meant = account.pk if account else None  # the audit never gets the name that was typed
    with trail.attempt("caller.throttled", meant):
        throttle.count(attempt)
    if not _is_right(account, password):
        trail.refused("credentials.refused", meant)
        return None
    throttle.forgive(attempt)
    return account


def confirm_password(*, account: User, session: str, password: str) -> bool:
    """Whether this is the password of the account that is signed in, in the session with this key.

    Each session has a count of its own: nobody else's guesses are in the way. Raises TooManyFailures. Call it outside
    a transaction.
    """
    attempt = Attempt(f"session {sha256(f'{account.pk} {session}'.encode()).hexdigest()[:40]}")
    with trail.attempt("caller.throttled", account.pk):
        throttle.count(attempt)
    fresh = User.objects.present().filter(pk=account.pk).first()
    if not _is_right(fresh, password):
        trail.refused("password.not_confirmed", account.pk)
        return False
    throttle.forgive(attempt)
    return True


def count_request(*, caller: str, target: str, device: Device | None = None) -> None:
    """Count something that anybody may ask for, such as a reset link, by the same limits. Raises TooManyFailures."""
    account = find_by_sign_in(target)
    if device is not None and account is not None and device.is_known_to(account):
        throttle.count(Attempt(f"request {device.key} {account.pk}"))
    else:
        throttle.count(Attempt(f"reset {throttle.address_key(caller)}", throttle.target_key(f"reset {target.strip()}")))


def find_by_sign_in(username: str) -> User | None:
    """The account that a person means who signs in: by username, else by e-mail, whatever the case."""
    if not username.strip() or not is_storable(username):
        return None
    users = User.objects.present()
    name = username.strip()
    account: User | None = users.by_username(name).first() or users.by_email(name).first()
    return account


def _attempt(caller: str, username: str, account: User | None, device: Device | None) -> Attempt:
    """Username and e-mail are counted apart: one count for both would say that they are one account's."""
    if device is not None and account is not None and device.is_known_to(account):
        return Attempt(f"device {device.key} {account.pk}")
    name = caller if caller.startswith("account ") else f"address {throttle.address_key(caller)}"
    return Attempt(name, throttle.target_key(username))


def _is_right(account: User | None, password: str) -> bool:
    """Takes its time in any case, so that the clock doesn't tell who exists."""
    if account is None:
        User().set_password(storable(password))
        return False
    return account.check_password(storable(password)) and is_storable(password) and account.status == Status.ACTIVE
