"""Events and their deliveries hold ids alone. What a receiver said may be anything."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef

from audit.models import OutboxEvent
from integrations.models import Delivery
from privacy.erasers import Blank
from privacy.registry import moments, not_personal, personal, purge

BATCH = 10_000


def _purge_events(now: datetime) -> int:
    """Deliveries that ended, then events that nobody waits for."""
    old = now - timedelta(days=settings.OUTBOX_KEEP_DAYS)
    ended = Delivery.objects.exclude(status=Delivery.Status.PENDING).filter(created_at__lt=old)
    waiting = Delivery.objects.filter(event=OuterRef("pk"))
    events = OutboxEvent.objects.filter(~Exists(waiting), taken_at__lt=old, at__lt=old)
    return _delete(ended) + _delete(events)


def _delete(rows: object) -> int:
    """In batches, so that no statement grows with the table."""
    total = 0
    while ids := list(rows.values_list("pk", flat=True)[:BATCH]):  # type: ignore[attr-defined]
        total += rows.model._base_manager.filter(pk__in=ids).delete()[0]  # type: ignore[attr-defined]
    return total


moments("integrations")
not_personal(
    "integrations.Webhook",
    "url events stopped sealed_query sealed_secret",
    "another system's address, and what it is told",
)
not_personal("integrations.Delivery", "status", "one of a few fixed words")
personal("integrations.Delivery", "error", erase=Blank("event__subject"), kept="OUTBOX_KEEP_DAYS")
purge("events and deliveries", after="OUTBOX_KEEP_DAYS", run=_purge_events)
