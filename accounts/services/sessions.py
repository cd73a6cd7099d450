"""The browsers that an account is signed in with: listing them, ending them, forgetting those whose time is over."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

import audit.services
from accounts.errors import UnknownAccount
from accounts.models import Session, User
from accounts.services.authority import check_proof
from accounts.sessions import absolute_limit, idle_limit

BATCH = 10_000


def sessions_of(account: User) -> Sequence[Session]:
    """Those that are still alive, the last used first."""
    rows = Session.objects.filter(account_id=account.pk, expire_date__gt=timezone.now()).exclude(_over())
    return list(rows.order_by("-last_active_at", "session_key"))


def end_session(*, actor: User, handle: str, origin: str = "") -> None:
    """End one of the actor's own sessions, named by its handle. Raises UnknownAccount and SignInAgain."""
    check_proof(actor)
    keys = [session.session_key for session in sessions_of(actor) if session.handle == handle]
    if not keys:
        raise UnknownAccount("There is no such session, or it has ended already.")
    _end(actor, Q(session_key__in=keys), origin)


def end_other_sessions(*, actor: User, keep: str, origin: str = "") -> int:
    """End all of the actor's sessions but the one with the key `keep`; how many. Raises SignInAgain."""
    check_proof(actor)
    return _end(actor, ~Q(session_key=keep), origin)


def _end(actor: User, which: Q, origin: str) -> int:
    """A request that is still running in one of them can't save it again: it finds no row to update."""
    with transaction.atomic():
        ended, _ = Session.objects.filter(which, account_id=actor.pk).delete()
        detail = {"sessions": ended}
        audit.services.record("session.ended", actor_id=actor.pk, subject_id=actor.pk, detail=detail, origin=origin)
    return ended


def forget_ended_sessions() -> int:
    """Delete the sessions whose time is over: they name addresses and browsers of people. How many."""
    gone = 0
    over = Session.objects.filter(Q(expire_date__lte=timezone.now()) | _over())
    while keys := list(over.values_list("session_key", flat=True)[:BATCH]):
        gone += Session.objects.filter(session_key__in=keys).delete()[0]
    return gone


def _over() -> Q:
    now = timezone.now()
    late = Q(last_active_at__lt=now - idle_limit()) | Q(started_at__lt=now - absolute_limit())
    return Q(account__isnull=False) & late
