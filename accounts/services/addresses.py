"""Old e-mail addresses are told that their account has a new one."""

from __future__ import annotations

from collections.abc import Iterable

import notices.services

KIND = "accounts.address_changed"


def note_changed_addresses(changes: Iterable[tuple[int, str, str]]) -> None:
    """Owe a mail to the old address of each account, old and new address; in the caller's transaction.

    Whoever changed it: an address that was changed with stolen rights must not go unnoticed.
    """
    told = [(account, old) for account, old, new in changes if old and old.lower() != new.lower()]
    notices.services.queue_to(KIND, told)
