"""The two ways to tell of an act. Call them inside the transaction of the act, last."""

from collections.abc import Iterable, Mapping
from typing import Any

from audit.facts import plain, plain_event, plain_origin
from audit.models import AuditEntry, OutboxEvent


def record(
    action: str,
    *,
    actor_id: int | None,
    subject_id: int | None,
    detail: Mapping[str, Any] | None = None,
    origin: str = "",
) -> AuditEntry:
    """Write the audit entry of one act. `detail` holds ids, numbers, codes and field names alone: `audit.facts`.

    Raises NotPlain for anything else.
    """
    return AuditEntry.objects.create(
        action=action, actor_id=actor_id, subject_id=subject_id, detail=plain(detail), origin=plain_origin(origin)
    )


def announce(kind: str, payload: Mapping[str, Any], *, subject_id: int | None = None) -> OutboxEvent:
    """Put an event in the outbox; it is sent after the commit, at least once."""
    return OutboxEvent.objects.create(kind=kind, payload=plain_event(payload), subject_id=subject_id)


def record_all(
    action: str, acts: Iterable[tuple[int | None, Mapping[str, Any]]], *, actor_id: int | None, origin: str = ""
) -> None:
    """As record, for many subjects at once: (subject_id, detail) each."""
    where = plain_origin(origin)
    AuditEntry.objects.bulk_create(
        AuditEntry(action=action, actor_id=actor_id, subject_id=subject_id, detail=plain(detail), origin=where)
        for subject_id, detail in acts
    )


def write(entries: Iterable[AuditEntry]) -> None:
    """Write entries of several kinds at once, checked as `record` does."""
    found = list(entries)
    for entry in found:
        entry.detail, entry.origin = plain(entry.detail), plain_origin(entry.origin)
    if len(found) == 1:
        found[0].save(force_insert=True)
    elif found:
        AuditEntry.objects.bulk_create(found)


def announce_all(kind: str, events: Iterable[tuple[Mapping[str, Any], int]]) -> None:
    """As announce, for many events at once: (payload, subject_id) each."""
    OutboxEvent.objects.bulk_create(
        OutboxEvent(kind=kind, payload=plain_event(payload), subject_id=subject_id) for payload, subject_id in events
    )
