"""Webhooks: who wants to be told, and every telling."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

import sealing
from audit.models import OutboxEvent


class Webhook(models.Model):
    """An address outside that is told of `events`. Messages are signed with a secret as Standard Webhooks says.

    The secret and the query of the address, which may be one, are sealed. A receiver that failed `failures` times in a
    row is left alone as a whole until `rests_until`. `stopped` says why the portal itself switched the webhook off.
    """

    class Stopped(models.TextChoices):
        CREATOR = "creator_lost_rights", "Its creator is no active superadmin any more"
        SECRET = "secret_unreadable", "No key opens its secret"

    class Event(models.TextChoices):
        MERGE_DONE = "merge.done", "A merge was done"
        MERGE_UNDONE = "merge.undone", "A merge was undone"
        ACCOUNT_LINKED = "account.linked", "Accounts were linked"
        RECORD_RECEIVED = "learning_record.received", "A learning record was received"

    url = models.URLField(max_length=500)
    events = ArrayField(models.CharField(max_length=60, choices=Event.choices), default=list)
    sealed_query = models.TextField(blank=True)
    sealed_secret = models.TextField()
    is_active = models.BooleanField(default=True)
    stopped = models.CharField(max_length=30, choices=Stopped.choices, blank=True, default="")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    tried_at = models.DateTimeField(null=True, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False)
    rests_until = models.DateTimeField(null=True, editable=False)

    new_secret = ""  # in memory alone, of the object that was given it

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.url

    @property
    def secret(self) -> str:
        """Raises CannotUnseal."""
        return sealing.unseal(self.sealed_secret)

    @property
    def target(self) -> str:
        """The whole address. Raises CannotUnseal."""
        return f"{self.url}?{sealing.unseal(self.sealed_query)}" if self.sealed_query else self.url


class Delivery(models.Model):
    """One event for one webhook: pending (again from `next_at` on), then delivered or, after the last try, failed."""

    class Status(models.TextChoices):
        PENDING = "pending", "Pending"
        DELIVERED = "delivered", "Delivered"
        FAILED = "failed", "Failed"

    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries")
    event = models.ForeignKey(OutboxEvent, models.PROTECT, related_name="+")
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(db_default=Now(), null=True)
    response_status = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=300, blank=True)
    delivered_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name_plural = "deliveries"
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["webhook", "event"], name="one_delivery")]
        indexes = [
            models.Index(fields=["webhook", "next_at"], name="deliveries_waiting", condition=Q(status="pending"))
        ]

    def __str__(self) -> str:
        return f"{self.event_id} to {self.webhook_id}"
