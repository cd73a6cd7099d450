"""Link groups: the accounts of one person."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now


class LinkGroup(models.Model):
    """The accounts of one person: two or more, or none when a merge emptied it."""

    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return f"group {self.pk}"


class Membership(models.Model):
    """An account in its group; an account is in at most one. Without a group it has left one, by a merge."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.PROTECT, related_name="link_membership")
    group = models.ForeignKey(LinkGroup, models.PROTECT, null=True, related_name="memberships")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return f"{self.user_id} in {self.group_id}"


class Link(models.Model):
    """The act that united two groups: who linked whom, when, and whether old records were to count.

    It is never changed and never taken back. `told_at` is set when the members' mails were handed over.
    """

    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    other = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    generates_equivalencies = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    owed = models.PositiveIntegerField(default=0, help_text="equivalencies of old records owed when it was made")
    told_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["id"], name="links_untold", condition=Q(told_at__isnull=True))]

    def __str__(self) -> str:
        return f"{self.account_id} linked {self.other_id}"


class Pair(models.Model):
    """`account` and `counterpart` are one person since `linked_at`, by `link` or by a merge; stored both ways.

    A record that `account` receives from `linked_at` on counts for `counterpart`; an older one only when the link
    generates equivalencies. The account's records are scanned once, in the order of their ids: `scanned_to` is the
    last one done, `finished_at` when none was left. Newer records come through the outbox.
    """

    link = models.ForeignKey(Link, models.PROTECT, null=True, related_name="pairs")
    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    counterpart = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    linked_at = models.DateTimeField(db_default=Now())
    scanned_to = models.BigIntegerField(db_default=0)
    finished_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "counterpart"], name="paired_once"),
            models.CheckConstraint(condition=~Q(account=F("counterpart")), name="not_paired_with_itself"),
        ]
        indexes = [models.Index(fields=["id"], name="pairs_unfinished", condition=Q(finished_at__isnull=True))]

    def __str__(self) -> str:
        return f"{self.account_id} is {self.counterpart_id}"
