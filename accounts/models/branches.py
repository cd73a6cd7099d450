"""The organisation: a tree of branches, who is in them, who manages whom."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from tree_queries.models import TreeNode


class Branch(TreeNode):
    """A part of the organisation. Its parent is another branch; circles are refused."""

    name = models.CharField(max_length=200)

    class Meta:
        verbose_name_plural = "branches"
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def ids_with_descendants(cls, tops: Iterable[int]) -> set[int]:
        """The ids of these branches and of all below them."""
        found = set(tops)
        layer = found
        while layer:
            layer = set(cls.objects.filter(parent_id__in=layer).values_list("id", flat=True)) - found
            found = found | layer
        return found


class BranchMembership(models.Model):
    """One account in one branch; at most once.

    `merged_from` is the account that a merge took the membership from: whoever looks after the branch still looks
    after that account, to deactivate or delete it.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="branch_memberships")
    merged_from = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    branch = models.ForeignKey(Branch, models.CASCADE, related_name="memberships")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "branch"], name="once_in_a_branch")]

    def __str__(self) -> str:
        return str(self.branch)


class ManagerAssignment(models.Model):
    """`manager` manages `user`."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="manager_assignments")
    manager = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="team_assignments")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "manager"], name="managed_once"),
            models.CheckConstraint(condition=~Q(user=F("manager")), name="not_ones_own_manager"),
        ]

    def __str__(self) -> str:
        return f"{self.manager_id} manages {self.user_id}"
