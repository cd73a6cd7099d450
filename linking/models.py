"""Link groups: the accounts of one person."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now


class LinkGroup(models.Model):
    """The accounts of one person; never fewer than two."""

    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return f"group {self.pk}"


class Membership(models.Model):
    """An account in its group; an account is in at most one."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.PROTECT, related_name="link_membership")
    group = models.ForeignKey(LinkGroup, models.PROTECT, related_name="memberships")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return f"{self.user_id} in {self.group_id}"


class Link(models.Model):
    """The act that united two groups: who linked whom, when, and whether old records were to count."""

    group = models.ForeignKey(LinkGroup, models.PROTECT, related_name="links")
    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    other = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    generates_equivalencies = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    owed = models.PositiveIntegerField(default=0, help_text="equivalencies owed because of this link, when it was made")
    finished_at = models.DateTimeField(null=True, help_text="when its generation was found to be done")

    def __str__(self) -> str:
        return f"{self.account_id} linked {self.other_id}"


class Pair(models.Model):
    """`account` and `counterpart` are one person since `linked_at`, by `link`; stored in both directions.

    A record that `account` receives from `linked_at` on counts for `counterpart`; an older one only when the link
    generates equivalencies.
    """

    link = models.ForeignKey(Link, models.PROTECT, null=True, related_name="pairs")
    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    counterpart = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    linked_at = models.DateTimeField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "counterpart"], name="paired_once"),
            models.CheckConstraint(condition=~Q(account=F("counterpart")), name="not_paired_with_itself"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} is {self.counterpart_id}"
