"""Webhooks: registering, changing and removing them."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

from django.db import transaction

import audit.services
from accounts.models import User
from integrations import sending
from integrations.errors import AddressesRefused, AddressRefused
from integrations.models import Webhook

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
    """Change `url`, `events` or `is_active`; a new address is tried at once. Raises AddressesRefused."""
    if "url" in values:
        check_addresses([values["url"]])
        values = {**values, "failures": 0, "rests_until": None}
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


def _audit(action: str, actor: User, webhook: Webhook, origin: str) -> None:
    audit.services.record(action, actor_id=actor.pk, subject_id=None, detail=_told(webhook), origin=origin)


def _told(webhook: Webhook) -> dict[str, Any]:
    return {"webhook": webhook.pk, "events": list(webhook.events)}
