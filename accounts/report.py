"""The Users report: which accounts it lists, in which order, a page at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, F, OuterRef, QuerySet
from django.http import QueryDict

from accounts.models import AssignedBranch, Branch, BranchMembership, Role, Status, User
from accounts.models.search import KEYS, LAST_SIGN_IN
from accounts.paging import Page, page_of

SIZE = 50
SORTS: Mapping[str, Any] = {
    "name": KEYS["name"],
    "username": KEYS["username"],
    "email": KEYS["email"],
    "employee_number": KEYS["employee_number"],
    "last_sign_in": LAST_SIGN_IN,
    "added": F("id"),
}
STATUSES: Mapping[str, str] = {"active": "Active", "inactive": "Inactive", "all": "Active and inactive"}


@dataclass(frozen=True)
class Filters:
    """What a person asked of the report. Anything that no page offers counts as not asked."""

    text: str = ""
    status: str = "active"
    role: str = ""
    branch: int | None = None
    sort: str = "name"
    descending: bool = False

    @classmethod
    def read(cls, query: QueryDict) -> Filters:
        branch, status, role = query.get("branch", ""), query.get("status", ""), query.get("role", "")
        sort = query.get("sort", "name")
        name = sort.removeprefix("-")
        return cls(
            text=query.get("q", "").strip()[:100],
            status=str(status) if status in STATUSES else "active",
            role=str(role) if role in Role.values else "",
            branch=int(branch) if branch.isascii() and branch.isdigit() and len(branch) < 10 else None,
            sort=name if name in SORTS else "name",
            descending=name in SORTS and sort.startswith("-"),
        )

    @property
    def is_default(self) -> bool:
        return self == Filters(sort=self.sort, descending=self.descending)


def listed(actor: User, filters: Filters) -> QuerySet[User]:
    """The accounts, of those that `actor` may see, that these filters leave."""
    users: QuerySet[User] = User.objects.visible_to(actor).present().searched(filters.text)
    if filters.status != "all":
        users = users.filter(status=Status(filters.status))
    if filters.role:
        users = users.filter(role=filters.role)
    if filters.branch is not None:
        branches = Branch.ids_with_descendants([filters.branch])
        users = users.filter(Exists(BranchMembership.objects.filter(user=OuterRef("pk"), branch_id__in=branches)))
    return users


def page(actor: User, filters: Filters, after: str = "", before: str = "") -> Page[User]:
    """One page, with branches fetched along."""
    users = listed(actor, filters).annotate(key=SORTS[filters.sort])
    users = users.prefetch_related("branch_memberships__branch")
    return page_of(users, SIZE, descending=filters.descending, after=after, before=before)


def survivors(actor: User, users: Iterable[User]) -> Mapping[int, User]:
    """The accounts that these were merged into, by id, as far as `actor` may see them."""
    wanted = {user.merged_into_id for user in users if user.merged_into_id}
    return User.objects.visible_to(actor).in_bulk(wanted) if wanted else {}


def branches_of(actor: User) -> list[Branch]:
    """The branches that `actor` may filter by, in the order of the tree; each knows its `tree_depth`."""
    tree = Branch.objects.with_tree_fields()
    if actor.is_superadmin:
        return list(tree)
    tops = AssignedBranch.objects.filter(power_user=actor).values_list("branch_id", flat=True)
    return list(tree.filter(pk__in=Branch.ids_with_descendants(tops)))
