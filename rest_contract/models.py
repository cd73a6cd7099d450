"""Answers kept for a day, so that a request sent twice is done once."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class IdempotencyKey(models.Model):
    """One `Idempotency-Key` of one caller: what was asked (a keyed hash) and what was answered.

    Written in the transaction of the work: a row that others can see is an answer that was given.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    key = models.CharField(max_length=64, help_text="a keyed hash of what the caller chose: it may name somebody")
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    headers = models.JSONField(default=dict)
    body = models.TextField(blank=True, help_text="JSON, to the letter as it was answered")
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "key"], name="one_answer_per_key")]
        indexes = [models.Index(fields=["at"], name="answers_by_age")]

    def __str__(self) -> str:
        return f"key {self.pk} of {self.owner_id}"
