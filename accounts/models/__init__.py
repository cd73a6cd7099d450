"""Who people are."""

from accounts.models.branches import Branch, BranchMembership, ManagerAssignment
from accounts.models.profile import Alias, ProfileField, ProfileValue
from accounts.models.rights import ApiToken, AssignedBranch, AssignedUser, Session, SignInFailure
from accounts.models.user import Right, Role, Status, User

__all__ = [
    "Alias",
    "ApiToken",
    "AssignedBranch",
    "AssignedUser",
    "Branch",
    "BranchMembership",
    "ManagerAssignment",
    "ProfileField",
    "ProfileValue",
    "Right",
    "Role",
    "Session",
    "SignInFailure",
    "Status",
    "User",
]
