"""The audit log, for superadmins."""

from __future__ import annotations

from django.db.models import QuerySet
from rest_framework import serializers

from accounts.rest.owned import actor_of, need_superadmin
from audit.models import AuditEntry
from rest_contract import filters
from rest_contract.serializers import StrictModel
from rest_contract.views import Rows


class AuditEntrySerializer(StrictModel):
    """`chain`, `place` and `hash` say where the entry stands in its chain of hashes; null for one that was put in by hand."""

    chain = serializers.IntegerField(source="link.chain", read_only=True, allow_null=True)
    place = serializers.IntegerField(source="link.place", read_only=True, allow_null=True)
    hash = serializers.SerializerMethodField()

    class Meta:
        model = AuditEntry
        fields = ["id", "action", "actor", "subject", "detail", "origin", "at", "chain", "place", "hash"]
        read_only_fields = fields

    def get_hash(self, entry: AuditEntry) -> str | None:
        return bytes(entry.link.hash).hex() if hasattr(entry, "link") else None


class AuditEntries(Rows):
    """Who did what, when, on whom, from where. Never changed, never removed."""

    model = AuditEntry
    serializer_class = AuditEntrySerializer
    filters = {
        "actor": filters.by_id("actor"),
        "subject": filters.by_id("subject"),
        "action": filters.by_text("action"),
        "since": filters.since("at"),
    }
    orderings = {"id": "id", "at": "at"}
    default_ordering = "-id"
    personal = True

    def scope(self) -> QuerySet[AuditEntry]:
        need_superadmin(actor_of(self.request))
        return AuditEntry.objects.select_related("link")
