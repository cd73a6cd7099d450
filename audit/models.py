"""Audit entries and the outbox. Both are written in the transaction of the act that they tell of."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class AuditEntry(models.Model):
    """One act: who did what, when, on whom, from where. Append-only, by a trigger in the database."""

    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    subject = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    action = models.CharField(max_length=60, help_text="noun and verb, for example merge.done")
    detail = models.JSONField(default=dict)
    origin = models.CharField(max_length=100, blank=True, help_text="address of the caller, or the command's name")
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name_plural = "audit entries"
        ordering = ["-id"]
        indexes = [models.Index(fields=["subject", "-id"], name="audit_of_subject")]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.action} at {self.at}"


class OutboxEvent(models.Model):
    """One event that leaves the portal (webhooks). Waiting while `taken_at` is empty, then turned into deliveries."""

    kind = models.CharField(max_length=60)
    payload = models.JSONField()
    subject = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(db_default=Now(), editable=False)
    taken_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["id"], name="outbox_waiting", condition=models.Q(taken_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
