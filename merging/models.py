"""The merge as it was requested and done, and its journal."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now


class Merge(models.Model):
    """One merge: queued, then done or failed; a done one may become undone.

    `values_forgotten_at`: since then its journal names rows and columns, and no personal values any more.
    `follows` is set when the source had been merged into this survivor's line before: it brings what the source
    gained since. `counts` holds, per section, how many rows had which outcome.
    """

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        UNDONE = "undone", "Undone"

    source = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="merges_as_source")
    destination = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="merges_as_destination")
    policy = models.CharField(max_length=20)
    choices = models.JSONField(default=dict)
    status = models.CharField(max_length=6, choices=Status.choices, default=Status.QUEUED)
    digest = models.CharField(max_length=256, blank=True)
    counts = models.JSONField(default=dict)
    reason = models.CharField(max_length=300, blank=True)
    notify = models.BooleanField(default=False)
    notified_at = models.DateTimeField(null=True)
    follows = models.ForeignKey("self", models.PROTECT, null=True, related_name="followed_by")
    requested_at = models.DateTimeField(db_default=Now(), editable=False)
    performed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    performed_at = models.DateTimeField(null=True)
    undo_until = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    undone_at = models.DateTimeField(null=True)
    undo_reason = models.CharField(max_length=300, blank=True)
    values_forgotten_at = models.DateTimeField(null=True, editable=False)
    error = models.TextField(blank=True)
    error_code = models.CharField(max_length=50, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(source=F("destination")), name="two_different_accounts"),
            models.UniqueConstraint(
                fields=["source"], condition=Q(status="done", follows=None), name="one_live_merge_per_source"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["done", "undone"]) | Q(performed_at__isnull=False), name="done_has_a_time"
            ),
        ]
        indexes = [
            models.Index(fields=["id"], name="merges_waiting", condition=Q(status="queued")),
            models.Index(fields=["undo_until"], name="merges_to_forget", condition=Q(values_forgotten_at__isnull=True)),
            models.Index(
                fields=["id"], name="merges_to_tell", condition=Q(status="done", notify=True, notified_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"merge {self.pk}"


class JournalEntry(models.Model):
    """One step of a merge: the rows `ids` of `model`, and the columns that changed, before and after.

    A move may concern many rows, which all changed alike; its ids come in chunks that share a position. `before`
    empty: the row was added. Equal: it stayed. Undo plays the positions backwards.
    """

    class Kind(models.TextChoices):
        MOVE = "move", "Move"
        CHANGE = "change", "Change"
        ADD = "add", "Add"
        STAY = "stay", "Stay"

    merge = models.ForeignKey(Merge, models.PROTECT, related_name="journal", db_index=False)
    position = models.PositiveIntegerField()
    chunk = models.PositiveIntegerField(default=0)
    section = models.CharField(max_length=30)
    model = models.CharField(max_length=100, help_text="app_label.ModelName")
    kind = models.CharField(max_length=6, choices=Kind.choices)
    outcome = models.CharField(max_length=10)
    reason = models.CharField(max_length=300)
    ids = ArrayField(models.BigIntegerField())
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    what = models.CharField(max_length=300, blank=True)
    detail = models.JSONField(default=dict)

    class Meta:
        ordering = ["position", "chunk"]
        constraints = [models.UniqueConstraint(fields=["merge", "position", "chunk"], name="one_step_a_place")]

    def __str__(self) -> str:
        return f"{self.model} {self.outcome}"
