"""What can be done with accounts. Pages, REST, admin, CSV and commands are doors over these.

Every act is one transaction that writes its own audit entry, locks the account first and decides by what it reads after.
"""

from accounts.errors import TooManyFailures
from accounts.services.access import end_access
from accounts.services.branches import change_branch, create_branch
from accounts.services.credentials import check_credentials, confirm_password, count_request, find_by_sign_in
from accounts.services.lifecycle import deactivate, delete_account, reactivate, sign_out_everywhere
from accounts.services.locks import lock_to_change
from accounts.services.lookup import find_by_identifier
from accounts.services.many import create_users
from accounts.services.password import change_own_password, request_reset
from accounts.services.permissions import lock_actor, lock_for_writing, lock_owners
from accounts.services.sessions import end_other_sessions, end_session, forget_ended_sessions, sessions_of
from accounts.services.tokens import create_token, find_token, grantable_scopes, may_have_tokens, revoke_token
from accounts.services.updating import update_users
from accounts.services.users import create_user, update_user

__all__ = [
    "TooManyFailures",
    "change_branch",
    "change_own_password",
    "check_credentials",
    "confirm_password",
    "count_request",
    "create_branch",
    "create_token",
    "create_user",
    "create_users",
    "deactivate",
    "delete_account",
    "end_access",
    "end_other_sessions",
    "end_session",
    "find_by_identifier",
    "find_by_sign_in",
    "find_token",
    "forget_ended_sessions",
    "grantable_scopes",
    "lock_actor",
    "lock_for_writing",
    "lock_owners",
    "lock_to_change",
    "may_have_tokens",
    "reactivate",
    "request_reset",
    "revoke_token",
    "sessions_of",
    "sign_out_everywhere",
    "update_user",
    "update_users",
]
