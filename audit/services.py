"""The two ways to tell of an act. Call them inside the transaction of the act."""

from collections.abc import Mapping
from typing import Any

from audit.models import AuditEntry, OutboxEvent


def record(
    action: str,
    *,
    actor_id: int | None,
    subject_id: int | None,
    detail: Mapping[str, Any] | None = None,
    origin: str = "",
) -> AuditEntry:
    """Write the audit entry of one act. `detail` holds plain JSON values, never passwords or tokens."""
    return AuditEntry.objects.create(
        action=action, actor_id=actor_id, subject_id=subject_id, detail=dict(detail or {}), origin=origin[:100]
    )


def announce(kind: str, payload: Mapping[str, Any], *, subject_id: int | None = None) -> OutboxEvent:
    """Put an event in the outbox; it is sent after the commit, at least once."""
    return OutboxEvent.objects.create(kind=kind, payload=dict(payload), subject_id=subject_id)
