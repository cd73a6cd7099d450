"""The mails that are owed, one row per recipient."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class Notice(models.Model):
    """One mail to one recipient: waiting (again from `next_at` on), then sent, dropped or, after the last try, failed.

    It names what the mail is about and holds no text: subject and body are written when it is sent, so that nobody
    finds a reset link or a name here. `address` is set only where the account's own isn't meant, and emptied once
    nothing is left to be sent. Dropped: when it was due, there was nobody to write to any more.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENT = "sent", "Sent"
        DROPPED = "dropped", "Dropped"
        FAILED = "failed", "Failed"

    kind = models.CharField(max_length=60, help_text="which mail, for example merge.done")
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    about = models.BigIntegerField(null=True, help_text="the row that the mail tells of; its kind says of which table")
    address = models.EmailField(blank=True)
    facts = models.JSONField(default=dict, help_text="plain values that the mail needs, no personal ones")
    state = models.CharField(max_length=7, choices=State.choices, default=State.WAITING)
    tries = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=60, blank=True, help_text="code of the last failure, without its text")
    next_at = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "about", "recipient"], condition=Q(about__isnull=False), name="one_notice_each"
            )
        ]
        indexes = [
            models.Index(fields=["next_at"], name="notices_waiting", condition=Q(state="waiting")),
            models.Index(fields=["ended_at"], name="notices_by_age", condition=Q(ended_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
