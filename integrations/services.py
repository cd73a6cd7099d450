"""Webhooks: registering, changing and removing them."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

from django.db import transaction

import audit.services
import sealing
from accounts.errors import NotAllowed
from accounts.models import User
from accounts.services import lock_actor
from integrations import sending
from integrations.errors import AddressesRefused, AddressRefused
from integrations.models import Webhook

LOOKUPS = 16  # names that are looked up at once
PATIENCE = 5.0  # seconds for all of them


def register(*, actor: User, rows: Sequence[Mapping[str, Any]], origin: str = "") -> list[Webhook]:
    """Tell these addresses: `url`, `events` (all, when none is named) and `is_active` of each. All or none.

    Each secret stands in the answer's `new_secret`; nobody is shown it later. Raises AddressesRefused and NotAllowed.
    """
    check_addresses([row["url"] for row in rows])
    with transaction.atomic():
        _prove(actor)
        made = Webhook.objects.bulk_create([_new(actor, **row) for row in rows])
        audit.services.record_all(
            "webhook.created", [(None, _told(webhook)) for webhook in made], actor_id=actor.pk, origin=origin
        )
    return made


def _prove(actor: User) -> None:
    """Again, under lock and before any row of a webhook: looking names up takes seconds, and the role may have ended."""
    if not lock_actor(actor.pk).is_superadmin:
        raise NotAllowed("Only a superadmin may write webhooks.")


def _new(actor: User, url: str, events: Iterable[str] = (), is_active: bool = True) -> Webhook:
    wanted = sorted(set(events)) or sorted(Webhook.Event.values)
    webhook = Webhook(events=wanted, is_active=is_active, created_by=actor)
    _aim(webhook, url)
    _give_secret(webhook)
    return webhook


def _aim(webhook: Webhook, url: str) -> None:
    """The query is sealed: it may be a secret."""
    webhook.url, mark, query = url.partition("?")
    webhook.sealed_query = sealing.seal(query) if mark else ""


def _give_secret(webhook: Webhook) -> None:
    """`new_secret` is there until this object is forgotten, for the one answer that shows it."""
    webhook.new_secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    webhook.sealed_secret = sealing.seal(webhook.new_secret)


def change(*, actor: User, webhook: Webhook, values: Mapping[str, Any], origin: str = "") -> Webhook:
    """Change `url`, `events` or `is_active`; a new address is tried at once. Raises AddressesRefused and NotAllowed.

    Switching a stopped webhook on takes it over: the actor answers for it from then on, and it gets a new secret when
    no key opens the old one.
    """
    if "url" in values:
        check_addresses([values["url"]])
    with transaction.atomic():
        _prove(actor)
        # NO KEY UPDATE: it may be stopped at this moment; deliveries may refer to it
        webhook = Webhook.objects.select_for_update(no_key=True).get(pk=webhook.pk)
        was_stopped = bool(webhook.stopped)
        _set(webhook, values)
        if was_stopped and webhook.is_active:
            _take_over(actor, webhook)
        webhook.save()
        _audit("webhook.taken_over" if was_stopped and webhook.is_active else "webhook.changed", actor, webhook, origin)
    return webhook


def _set(webhook: Webhook, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if name == "url":
            _aim(webhook, value)
            webhook.failures, webhook.rests_until = 0, None
        else:
            setattr(webhook, name, value)


def _take_over(actor: User, webhook: Webhook) -> None:
    webhook.created_by, webhook.stopped = actor, ""
    webhook.failures, webhook.rests_until = 0, None
    try:
        webhook.secret  # noqa: B018  (whether it opens)
    except sealing.CannotUnseal:
        _give_secret(webhook)


def rotate_keys() -> tuple[int, list[int]]:
    """Seal the secrets of all webhooks under the newest key: how many, and the ids of those that no key opens."""
    unreadable = []
    ids = list(Webhook.objects.order_by("pk").values_list("pk", flat=True))
    for pk in ids:
        try:
            with transaction.atomic():
                _reseal(pk)
        except sealing.CannotUnseal:
            unreadable.append(pk)
    return len(ids) - len(unreadable), unreadable


def _reseal(pk: int) -> None:
    # NO KEY UPDATE: somebody may renew the secret at this moment; deliveries may refer to the webhook
    webhook = Webhook.objects.select_for_update(no_key=True).filter(pk=pk).first()
    if webhook is None:
        return
    webhook.sealed_secret = sealing.reseal(webhook.sealed_secret)
    if webhook.sealed_query:
        webhook.sealed_query = sealing.reseal(webhook.sealed_query)
    webhook.save(update_fields=["sealed_secret", "sealed_query"])


def remove(*, actor: User, webhook: Webhook, origin: str = "") -> None:
    """Forget the webhook and its deliveries. Raises NotAllowed."""
    with transaction.atomic():
        _prove(actor)
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
