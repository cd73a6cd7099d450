"""Sessions, tokens and reset links: how they end."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import F

from accounts.models import ApiToken, Session, User


def end_access(account_ids: Iterable[int]) -> None:
    """End every session, API token and password-reset link of these accounts, for good.

    The epoch grows, so that neither a session saved a moment later nor an old link comes alive again when the account
    is active once more.
    """
    ids = list(account_ids)
    User.objects.filter(pk__in=ids).update(session_epoch=F("session_epoch") + 1)
    Session.objects.filter(account__in=ids).delete()
    ApiToken.objects.filter(owner__in=ids).delete()
