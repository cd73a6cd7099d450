"""Audit entries and the outbox. Both are written in the transaction of the act that they tell of."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class AuditEntry(models.Model):
    """One act: who did what, when, on whom, from where. Append-only, and each linked into a chain of hashes.

    `actor` and `subject` are ids of accounts without a foreign key in the database: accounts are never removed, and
    checking the key would let the note that somebody looked at an account wait for whoever is merging it.
    """

    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_constraint=False
    )
    subject = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_constraint=False
    )
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


class AuditLink(models.Model):
    """The place of one entry in its chain: `hash` is that of the previous hash and of the entry's text.

    Written by the database alone, at the commit of the entry: `audit/migrations/0002_chains.py`.
    """

    entry = models.OneToOneField(
        AuditEntry, models.DO_NOTHING, primary_key=True, related_name="link", db_constraint=False
    )
    chain = models.SmallIntegerField()
    place = models.BigIntegerField(help_text="from 1, without gaps")
    previous = models.BinaryField(help_text="the hash of the place before; empty at the first")
    hash = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["chain", "place"], name="one_entry_per_place")]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.chain}:{self.place}"


class AuditHead(models.Model):
    """The end of one chain: how long it is and its last hash, so that a cut end is noticed."""

    chain = models.SmallIntegerField(primary_key=True)
    length = models.BigIntegerField()
    hash = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.chain}:{self.length}:{bytes(self.hash).hex()}"


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
