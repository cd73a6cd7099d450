"""What a merge does to the accounts themselves: profile, branches, managers, aliases, sign-in."""

from accounts.models import Alias, BranchMembership, ManagerAssignment, ProfileValue
from merging.handlers import Claim, MergeHandler, exempt, register

exempt("accounts.User", "merged_into", "accounts merged earlier are found through the chain")
exempt("accounts.ManagerAssignment", "manager", "the destination's team members are kept, the source's stay with it")
exempt("accounts.AssignedUser", "power_user", "learners have nobody assigned to them")
exempt("accounts.AssignedUser", "user", "rights over an account aren't a record of the person")
exempt("accounts.AssignedBranch", "power_user", "learners have no branch assigned to them")
exempt("accounts.Session", "account", "sessions end with the account; they never move")
exempt("accounts.ApiToken", "owner", "tokens end with the account; they never move")


@register
class ProfileHandler(MergeHandler):
    key = section = "profile"
    claims = (Claim(ProfileValue, "user"),)


@register
class BranchHandler(MergeHandler):
    key, section = "branches", "account"
    claims = (Claim(BranchMembership, "user"),)


@register
class ManagerHandler(MergeHandler):
    key, section = "managers", "account"
    claims = (Claim(ManagerAssignment, "user"),)


@register
class AliasHandler(MergeHandler):
    key, section = "aliases", "account"
    claims = (Claim(Alias, "user"),)
