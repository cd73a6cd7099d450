"""Events become deliveries, and deliveries are tried: side by side, and fair between webhooks.

In each round every webhook with something due has a lane of its own, the one that waited longest first. A receiver that
doesn't answer ends its lane and rests as a whole, longer each time, then is asked with one message until it answers. So
a dead receiver costs one attempt now and then, however much waits for it, and the others nothing.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from standardwebhooks.webhooks import Webhook as Signer

from audit.models import OutboxEvent
from integrations import sending
from integrations.models import Delivery, Webhook
from integrations.stopping import entitled, stop, stop_orphans
from sealing import CannotUnseal

# Seconds until the next try, after the first, second… failure; about a day and a half in all.
WAITS = (5, 60, 300, 1800, 7200, 18_000, 36_000, 72_000)
LIFETIME = timedelta(seconds=sum(WAITS))
RESTS = WAITS[:3]  # of a receiver as a whole: one message every five minutes finds out when it is back
LEASE = timedelta(minutes=5)
GONE = 410
LANES = 16  # webhooks at once
PER_ROUND = 100  # deliveries of one webhook
OUTCOME = ["attempts", "response_status", "error", "status", "next_at", "delivered_at"]


@dataclass
class Lane:
    """The deliveries of one webhook in one round, each with its event, and what came of those that were tried."""

    webhook: Webhook
    deliveries: Sequence[Delivery]
    target: str
    secret: str
    answers: list[sending.Answer] = field(default_factory=list)

    def send(self, until: float) -> Lane:
        """Send in order until one isn't answered or time is up; the first is always tried. Knows no database."""
        for delivery in self.deliveries:
            if self.answers and monotonic() >= until:
                break
            body = message(delivery.event)
            self.answers.append(sending.attempt(self.target, body, signed(delivery, body, self.secret)))
            if self.answers[-1].is_failing:
                break
        return self


def take_events(limit: int = 1000) -> int:
    """Turn waiting events into deliveries, in one transaction; how many events. Several may do so at once."""
    stop_orphans()
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


def deliver_round(until: float) -> int:
    """Try what is due, of each webhook until the monotonic clock shows `until`; how many were tried.

    All are claimed first, so that no two workers send them at once. A worker that dies keeps its claim until the
    lease ends; then they are tried again.
    """
    lanes = claim()
    if not lanes:
        return 0
    with ThreadPoolExecutor(len(lanes)) as pool:
        for done in as_completed([pool.submit(lane.send, until) for lane in lanes]):
            _settle(done.result())
    return sum(len(lane.answers) for lane in lanes)


def claim() -> list[Lane]:
    """Lanes for this round."""
    now = timezone.now()
    with transaction.atomic():
        turns = _whose_turn(now)
        Webhook.objects.filter(pk__in=[webhook.pk for webhook in turns]).update(tried_at=now)
        lanes = [lane for webhook in turns if (lane := _lane(webhook, now))]
    return [lane for lane in lanes if lane.deliveries]


def _lane(webhook: Webhook, now: datetime) -> Lane | None:
    """None, and the webhook stopped, when no key opens its secret: trying again and again wouldn't help."""
    try:
        target, secret = webhook.target, webhook.secret
    except CannotUnseal:
        stop([webhook.pk], Webhook.Stopped.SECRET)
        return None
    return Lane(webhook, _claimed(webhook, now), target, secret)


def _due(now: datetime) -> Q:
    return Q(status=Delivery.Status.PENDING, next_at__lte=now)


def _whose_turn(now: datetime) -> list[Webhook]:
    waiting = Delivery.objects.filter(_due(now), webhook=OuterRef("pk"))
    awake = Webhook.objects.filter(Q(rests_until=None) | Q(rests_until__lte=now), Exists(waiting))
    awake = awake.filter(created_by__in=entitled())  # as they are now, whatever they were when the event happened
    in_turn = awake.order_by(F("tried_at").asc(nulls_first=True), "pk")
    # NO KEY UPDATE: new deliveries may refer to it meanwhile. SKIP LOCKED: it is another worker's turn with those
    return list(in_turn.select_for_update(skip_locked=True, no_key=True)[:LANES])


def _claimed(webhook: Webhook, now: datetime) -> list[Delivery]:
    """What is due, the longest waiting first; one to find out whether a failing receiver is back."""
    due = Delivery.objects.filter(_due(now), webhook=webhook).order_by("next_at", "pk").select_related("event")
    # SKIP LOCKED: somebody writes them
    found = list(due.select_for_update(skip_locked=True, of=("self",))[: 1 if webhook.failures else PER_ROUND])
    Delivery.objects.filter(pk__in=[delivery.pk for delivery in found]).update(next_at=now + LEASE)
    for delivery in found:
        delivery.webhook = webhook
    return found


def _settle(lane: Lane) -> None:
    """Keep the outcomes of one lane; what wasn't tried is due as before. A webhook may have been removed meanwhile."""
    for delivery, answer in zip(lane.deliveries, lane.answers, strict=False):
        _note(delivery, answer)
    with transaction.atomic():
        Delivery.objects.bulk_update(lane.deliveries, OUTCOME)
        _judge(lane.webhook, lane.answers[-1])


def _note(delivery: Delivery, answer: sending.Answer) -> None:
    delivery.attempts += 1
    delivery.response_status, delivery.error = answer.status, answer.error[:300].replace("\x00", "")
    if not delivery.error:
        delivery.status, delivery.next_at, delivery.delivered_at = Delivery.Status.DELIVERED, None, timezone.now()
    elif delivery.attempts > len(WAITS) or answer.status == GONE or not delivery.webhook.is_active:
        delivery.status, delivery.next_at = Delivery.Status.FAILED, None
    else:
        delivery.next_at = _in(WAITS[delivery.attempts - 1])


def _judge(webhook: Webhook, last: sending.Answer) -> None:
    """Let the receiver rest, or not, after the last answer that it gave or owed."""
    failures = webhook.failures + 1 if last.is_failing else 0
    rests = _in(RESTS[min(failures, len(RESTS)) - 1]) if failures else None
    Webhook.objects.filter(pk=webhook.pk).update(failures=failures, rests_until=rests)
    if failures > len(WAITS):
        error = f"given up: no answer in the last {failures} attempts to reach the receiver"
        old = webhook.deliveries.filter(status=Delivery.Status.PENDING, created_at__lt=timezone.now() - LIFETIME)
        old.update(status=Delivery.Status.FAILED, next_at=None, error=error)


def _in(seconds: int) -> datetime:
    """That long from now and up to a fifth more, so that not all happens at the same moment."""
    return timezone.now() + timedelta(seconds=seconds * (1 + secrets.randbelow(20) / 100))


def message(event: OutboxEvent) -> bytes:
    """The body: type, timestamp and data, as Standard Webhooks says."""
    content = {"type": event.kind, "timestamp": event.at.isoformat(), "data": event.payload}
    return json.dumps(content, separators=(",", ":")).encode()


def signed(delivery: Delivery, body: bytes, secret: str) -> dict[str, str]:
    """The headers that prove who sent it. The id is the same at every try, so that receivers can tell repeats."""
    now, identity = timezone.now().astimezone(UTC), f"msg_{delivery.event_id}"
    return {
        "Content-Type": "application/json",
        "User-Agent": "lms-portal",
        "webhook-id": identity,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Signer(secret).sign(identity, now, body.decode()),
    }
