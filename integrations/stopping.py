"""Webhooks that the portal switches off itself: when their creator loses the rights, or no key opens their secret."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.db import transaction
from django.db.models import QuerySet

import audit.services
from accounts.models import Role, Status, User
from integrations.models import Delivery, Webhook

WHY: Final = {
    Webhook.Stopped.CREATOR: "the webhook was stopped: its creator is no active superadmin any more",
    Webhook.Stopped.SECRET: "the webhook was stopped: no key of the portal opens its secret",
}


def entitled() -> QuerySet[User]:
    """Whose webhooks are sent to: what they tell is a superadmin's to know."""
    found: QuerySet[User] = User.objects.filter(role=Role.SUPERADMIN, status=Status.ACTIVE)
    return found


def stop_orphans() -> int:
    """Stop the webhooks whose creators lost the rights; how many. They stay so when the rights come back."""
    orphans = Webhook.objects.filter(is_active=True).exclude(created_by__in=entitled())
    return stop(orphans.values_list("pk", flat=True), Webhook.Stopped.CREATOR)


def stop(ids: Iterable[int], reason: Webhook.Stopped) -> int:
    """Switch these off, and give up what waits for them; how many were on."""
    ids = list(ids)
    if not ids:
        return 0
    with transaction.atomic():
        # NO KEY UPDATE: a superadmin may take one over at this moment; deliveries may refer to it
        on = Webhook.objects.select_for_update(no_key=True).filter(pk__in=ids, is_active=True).order_by("pk")
        if reason == Webhook.Stopped.CREATOR:
            on = on.exclude(created_by__in=entitled())
        webhooks = list(on)
        ids = [webhook.pk for webhook in webhooks]
        Webhook.objects.filter(pk__in=ids).update(is_active=False, stopped=reason)
        waiting = Delivery.objects.filter(webhook__in=ids, status=Delivery.Status.PENDING)
        waiting.update(status=Delivery.Status.FAILED, next_at=None, error=WHY[reason])
        for webhook in webhooks:
            detail = {"webhook": webhook.pk, "code": reason.value}
            audit.services.record("webhook.stopped", actor_id=None, subject_id=webhook.created_by_id, detail=detail)
    return len(webhooks)
