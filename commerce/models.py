"""Subscription plans with their licences, and what people paid."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import Branch


class SubscriptionPlan(models.Model):
    """A plan with `seats` licences (no limit when empty). Only its branches may see it; all, when it names none."""

    name = models.CharField(max_length=150)
    seats = models.PositiveIntegerField(null=True, blank=True)
    branches: "models.ManyToManyField[Branch, PlanBranch]" = models.ManyToManyField(Branch, through="PlanBranch")

    class Meta:
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name


class PlanBranch(models.Model):
    """`branch` may see `plan`."""

    plan = models.ForeignKey(SubscriptionPlan, models.CASCADE, related_name="+")
    branch = models.ForeignKey(Branch, models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["plan", "branch"], name="visible_once")]

    def __str__(self) -> str:
        return f"{self.plan_id} in {self.branch_id}"


class Subscription(models.Model):
    """A licence: one seat of a plan. Active, or released; one active per account and plan."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        RELEASED = "released", "Released"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="subscriptions")
    plan = models.ForeignKey(SubscriptionPlan, models.PROTECT, related_name="subscriptions")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACTIVE)
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "plan"], condition=Q(status="active"), name="one_seat")]

    def __str__(self) -> str:
        return str(self.plan)


class Transaction(models.Model):
    """One payment, or refund when negative, in one currency. Never edited."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="transactions")
    amount = models.DecimalField(max_digits=14, decimal_places=2)
    currency = models.CharField(max_length=3, help_text="ISO 4217")
    description = models.CharField(max_length=200, blank=True)
    reference = models.CharField(max_length=100, blank=True)
    occurred_at = models.DateTimeField(db_default=Now())
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="currency_code")]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} {self.description}".strip()
