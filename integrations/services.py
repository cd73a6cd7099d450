"""Webhooks: registering them, turning events into deliveries, delivering."""

from __future__ import annotations

import base64
import http.client
import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from standardwebhooks.webhooks import Webhook as Signer

import audit.services
from accounts.models import User
from audit.models import OutboxEvent
from integrations import sending
from integrations.errors import AddressesRefused, AddressRefused
from integrations.models import Delivery, Webhook

# Seconds until the next try, after the first, second… failure; about a day and a half in all.
WAITS = (5, 60, 300, 1800, 7200, 18_000, 36_000, 72_000)
LEASE = timedelta(minutes=5)
GONE = 410
LOOKUPS = 16  # names that are looked up at once
PATIENCE = 5.0  # seconds for all of them


def register(*, actor: User, rows: Sequence[Mapping[str, Any]], origin: str = "") -> list[Webhook]:
    """Tell these addresses: `url`, `events` (all, when none is named) and `is_active` of each. All or none.

    Each secret stands in the answer's `secret`; nobody can read it later. Raises AddressesRefused.
    """
    check_addresses([row["url"] for row in rows])
    with transaction.atomic():
        made = Webhook.objects.bulk_create([_new(actor, **row) for row in rows])
        audit.services.record_all(
            "webhook.created", [(None, _told(webhook)) for webhook in made], actor_id=actor.pk, origin=origin
        )
    return made


def _new(actor: User, url: str, events: Iterable[str] = (), is_active: bool = True) -> Webhook:
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    wanted = sorted(set(events)) or sorted(Webhook.Event.values)
    return Webhook(url=url, events=wanted, secret=secret, is_active=is_active, created_by=actor)


def change(*, actor: User, webhook: Webhook, values: Mapping[str, Any], origin: str = "") -> Webhook:
    """Change `url`, `events` or `is_active`. Raises AddressesRefused."""
    if "url" in values:
        check_addresses([values["url"]])
    for name, value in values.items():
        setattr(webhook, name, value)
    with transaction.atomic():
        webhook.save(update_fields=list(values))
        _audit("webhook.changed", actor, webhook, origin)
    return webhook


def remove(*, actor: User, webhook: Webhook, origin: str = "") -> None:
    """Forget the webhook and its deliveries."""
    with transaction.atomic():
        _audit("webhook.removed", actor, webhook, origin)
        webhook.delete()


def check_addresses(urls: Sequence[str]) -> None:
    """Raise AddressesRefused when some lead inside. A name that nobody knows yet, or that takes long to be found,
    is let through: no delivery reaches it, and each is checked again."""
    pool = ThreadPoolExecutor(LOOKUPS)
    looks = [pool.submit(_refusal, url) for url in urls]
    done, _ = wait(looks, PATIENCE)
    pool.shutdown(wait=False, cancel_futures=True)
    refused = {place: error for place, look in enumerate(looks) if look in done and (error := look.result())}
    if refused:
        raise AddressesRefused(refused)


def _refusal(url: str) -> AddressRefused | None:
    try:
        sending.resolve(sending.split(url))
    except AddressRefused as error:
        return error
    except OSError:
        return None
    return None


def take_events(limit: int = 1000) -> int:
    """Turn waiting events into deliveries, in one transaction; how many events. Several may do so at once."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """WITH taken AS (
                   UPDATE audit_outboxevent SET taken_at = now() WHERE id IN (
                       SELECT id FROM audit_outboxevent WHERE taken_at IS NULL
                       ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
                   RETURNING id, kind),
               made AS (
                   INSERT INTO integrations_delivery (webhook_id, event_id, status, attempts, error)
                   SELECT w.id, t.id, 'pending', 0, '' FROM taken t
                   JOIN integrations_webhook w ON w.is_active AND t.kind = ANY (w.events)
                   ORDER BY t.id, w.id)
               SELECT count(*) FROM taken""",
            [limit],
        )
        return int(cursor.fetchone()[0])


def deliver_due(limit: int = 20) -> int:
    """Try the deliveries that are due; how many. Each is claimed first, so that no two workers send it at once.

    A worker that dies keeps its claim until the lease ends; then the delivery is tried again.
    """
    claimed = _claim(limit)
    for delivery in claimed:
        attempt(delivery)
    return len(claimed)


def _claim(limit: int) -> list[Delivery]:
    with transaction.atomic():
        due = Delivery.objects.filter(status=Delivery.Status.PENDING, next_at__lte=timezone.now())
        # SKIP LOCKED: another worker has those
        ids = list(due.order_by("next_at").select_for_update(skip_locked=True).values_list("pk", flat=True)[:limit])
        Delivery.objects.filter(pk__in=ids).update(next_at=timezone.now() + LEASE)
    return list(Delivery.objects.filter(pk__in=ids).select_related("webhook", "event").order_by("id"))


def attempt(delivery: Delivery) -> None:
    """Send it once and keep the outcome."""
    delivery.attempts += 1
    delivery.response_status, delivery.error = None, ""
    try:
        body = message(delivery.event)
        delivery.response_status = sending.post(delivery.webhook.url, body, signed(delivery, body))
        if not 200 <= delivery.response_status < 300:
            delivery.error = f"answered with {delivery.response_status}"
    except AddressRefused as error:
        delivery.error = error.detail[:300]
    except (OSError, http.client.HTTPException) as error:
        delivery.error = f"{type(error).__name__}: {error}"[:300].replace("\x00", "")
    _settle(delivery)


def _settle(delivery: Delivery) -> None:
    if not delivery.error:
        delivery.status, delivery.next_at, delivery.delivered_at = Delivery.Status.DELIVERED, None, timezone.now()
    elif delivery.attempts > len(WAITS) or delivery.response_status == GONE or not delivery.webhook.is_active:
        delivery.status, delivery.next_at = Delivery.Status.FAILED, None
    else:
        wait = WAITS[delivery.attempts - 1] * (1 + secrets.randbelow(20) / 100)  # not all at the same moment
        delivery.next_at = timezone.now() + timedelta(seconds=wait)
    delivery.save(update_fields=["attempts", "response_status", "error", "status", "next_at", "delivered_at"])


def message(event: OutboxEvent) -> bytes:
    """The body: type, timestamp and data, as Standard Webhooks says."""
    content = {"type": event.kind, "timestamp": event.at.isoformat(), "data": event.payload}
    return json.dumps(content, separators=(",", ":")).encode()


def signed(delivery: Delivery, body: bytes) -> dict[str, str]:
    """The headers that prove who sent it. The id is the same at every try, so that receivers can tell repeats."""
    now, identity = timezone.now().astimezone(UTC), f"msg_{delivery.event_id}"
    return {
        "Content-Type": "application/json",
        "User-Agent": "lms-portal",
        "webhook-id": identity,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Signer(delivery.webhook.secret).sign(identity, now, body.decode()),
    }


def _audit(action: str, actor: User, webhook: Webhook, origin: str) -> None:
    audit.services.record(action, actor_id=actor.pk, subject_id=None, detail=_told(webhook), origin=origin)


def _told(webhook: Webhook) -> dict[str, Any]:
    return {"webhook": webhook.pk, "url": webhook.url, "events": list(webhook.events)}
