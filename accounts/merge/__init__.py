"""What a merge does to the accounts themselves: profile, branches, managers, aliases, sign-in."""

from accounts.merge import account, aliases, organisation, profile
from merging.handlers import exempt

__all__ = ["account", "aliases", "organisation", "profile"]

exempt("accounts.User", "merged_into", "accounts merged earlier are found through the chain")
exempt("accounts.AssignedUser", "power_user", "learners have nobody assigned to them")
exempt("accounts.AssignedUser", "user", "who may administer an account is a right over it, not a record of the person")
exempt("accounts.AssignedBranch", "power_user", "learners have no branch assigned to them")
exempt("accounts.BranchMembership", "merged_from", "it tells whose place in the branch it was")
exempt("accounts.Session", "account", "sessions end with the account; they never move")
exempt("accounts.ApiToken", "owner", "tokens end with the account; they never move")
