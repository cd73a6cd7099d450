"""A consolidation by hand: which two accounts, how far it is, and who did what."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now


class Consolidation(models.Model):
    """One walk through the assistant. It can be left and resumed, by any admin who may see both accounts.

    `one` and `other` are the two accounts; `primary` is the one to keep, empty until somebody chose. Open while
    `finished_at` is empty; `removal` says how the secondary ended.
    """

    class Removal(models.TextChoices):
        DELETED = "deleted", "Deleted"
        DEACTIVATED = "deactivated", "Deactivated"

    one = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    other = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    primary = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    started_at = models.DateTimeField(db_default=Now(), editable=False)
    is_confirmed = models.BooleanField(default=False, help_text="all needed information is on the primary")
    removal = models.CharField(max_length=12, choices=Removal.choices, blank=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(one__lt=F("other")), name="consolidates_two_in_id_order"),
            models.CheckConstraint(
                condition=Q(primary=None) | Q(primary=F("one")) | Q(primary=F("other")), name="primary_is_one_of_them"
            ),
            models.UniqueConstraint(
                fields=["one", "other"], condition=Q(finished_at=None), name="one_open_consolidation"
            ),
        ]

    def __str__(self) -> str:
        return f"consolidation {self.pk}"

    @property
    def secondary_id(self) -> int | None:
        """The account to remove, once the primary was chosen."""
        if self.primary_id is None:
            return None
        return self.other_id if self.primary_id == self.one_id else self.one_id


class ConsolidationAct(models.Model):
    """One thing that somebody did on the way, in words that name no person. Never changed."""

    consolidation = models.ForeignKey(Consolidation, models.PROTECT, related_name="acts")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    text = models.CharField(max_length=500)
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.text
