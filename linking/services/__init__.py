"""What can be done with links, and what can be read about them. There is no unlinking, here or anywhere."""

from linking.services.generation import issue_owed
from linking.services.groups import Group, Member, group_of, member_ids
from linking.services.links import Linked, link_accounts, prove_and_link
from linking.services.progress import Progress, progress_of, progress_of_group

__all__ = [
    "Group",
    "Linked",
    "Member",
    "Progress",
    "group_of",
    "issue_owed",
    "link_accounts",
    "member_ids",
    "progress_of",
    "progress_of_group",
    "prove_and_link",
]
