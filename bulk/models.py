"""An uploaded file, and its rows with what was found out about each."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class Import(models.Model):
    """One file: checking, then checked; confirmed it is running, then done. It may be cancelled before it is done.

    The rows carry the progress, so that whoever looks next goes on where the last one stopped.
    """

    class Kind(models.TextChoices):
        USERS = "users", "Users"
        MERGES = "merges", "Merges"
        RECORDS = "records", "Learning records"

    class Status(models.TextChoices):
        CHECKING = "checking", "Checking"
        CHECKED = "checked", "Checked, waits for your confirmation"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        CANCELLED = "cancelled", "Cancelled"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.CHECKING)
    file_name = models.CharField(max_length=200)
    header = ArrayField(models.CharField(max_length=100))
    total = models.PositiveIntegerField(default=0)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField(db_default=Now(), editable=False)
    confirmed_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["id"], name="imports_at_work", condition=Q(status__in=["checking", "running"]))]

    def __str__(self) -> str:
        return self.file_name

    @property
    def is_at_work(self) -> bool:
        return self.status in (self.Status.CHECKING, self.Status.RUNNING)


class ImportRow(models.Model):
    """One line of a file. `verdict` is what the check found, `outcome` what came of it; empty until then.

    `target` is the id of the account that it concerns (not a foreign key: the file may outlive it), `differences`
    the values before and after by column, `column` and `reason` say why a row was refused. `tries` counts how often it
    met somebody else's lock; until `retry_at` it is put off.
    """

    class Verdict(models.TextChoices):
        ADDED = "added", "Added"
        CHANGED = "changed", "Changed"
        UNCHANGED = "unchanged", "Unchanged"
        REFUSED = "refused", "Refused"

    import_file = models.ForeignKey(Import, models.CASCADE, related_name="rows", db_index=False)
    line = models.PositiveIntegerField()
    cells = models.JSONField()
    verdict = models.CharField(max_length=10, blank=True, choices=Verdict.choices)
    target = models.BigIntegerField(null=True)
    differences = models.JSONField(default=dict)
    column = models.CharField(max_length=100, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    outcome = models.CharField(max_length=10, blank=True, choices=Verdict.choices)
    tries = models.PositiveSmallIntegerField(db_default=0)
    retry_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["line"]
        constraints = [models.UniqueConstraint(fields=["import_file", "line"], name="line_once")]
        indexes = [
            models.Index(fields=["import_file", "line"], name="rows_to_check", condition=Q(verdict="")),
            models.Index(fields=["import_file", "line"], name="rows_to_run", condition=Q(outcome="")),
        ]

    def __str__(self) -> str:
        return f"line {self.line}"

    def refuse(self, column: str, reason: str) -> None:
        """Say no to this row, and why."""
        self.verdict, self.column, self.reason = self.Verdict.REFUSED, column[:100], reason[:500]
