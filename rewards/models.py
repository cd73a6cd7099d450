"""Badges, points, coins and the reward shop."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class Badge(models.Model):
    """Something to earn. `points` is what it is worth; whoever awards it books them in the ledger."""

    name = models.CharField(max_length=150)
    points = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name


class BadgeAward(models.Model):
    """An account won a badge. One per account and badge is not superseded."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="badge_awards")
    badge = models.ForeignKey(Badge, models.PROTECT, related_name="awards")
    awarded_at = models.DateTimeField(db_default=Now())
    is_superseded = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "badge"], condition=Q(is_superseded=False), name="one_badge")
        ]

    def __str__(self) -> str:
        return str(self.badge)


class PointEntry(models.Model):
    """One booking in an account's ledger of points; the balance is their sum. Never edited."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="point_entries")
    amount = models.IntegerField()
    reason = models.CharField(max_length=200, blank=True)
    occurred_at = models.DateTimeField(db_default=Now())
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name_plural = "point entries"

    def __str__(self) -> str:
        return f"{self.amount:+d} {self.reason}".strip()


class CoinEntry(models.Model):
    """One booking in an account's ledger of coins; the balance is their sum. Never edited."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="coin_entries")
    amount = models.IntegerField()
    reason = models.CharField(max_length=200, blank=True)
    occurred_at = models.DateTimeField(db_default=Now())
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name_plural = "coin entries"

    def __str__(self) -> str:
        return f"{self.amount:+d} {self.reason}".strip()


class Reward(models.Model):
    """Something in the shop, for a price in coins."""

    name = models.CharField(max_length=150)
    coins = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name


class RewardRequest(models.Model):
    """An account asked for a reward."""

    class Status(models.TextChoices):
        REQUESTED = "requested", "Requested"
        APPROVED = "approved", "Approved"
        DELIVERED = "delivered", "Delivered"
        REJECTED = "rejected", "Rejected"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="reward_requests")
    reward = models.ForeignKey(Reward, models.PROTECT, related_name="requests")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.REQUESTED)
    requested_at = models.DateTimeField(db_default=Now())
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return str(self.reward)
