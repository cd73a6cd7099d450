"""Work on accounts in the background."""

from __future__ import annotations

from celery import shared_task

import notices.services
from accounts.mails import owe_reset_link
from accounts.services import forget_ended_sessions
from accounts.services.throttle import forget_old_failures


@shared_task
def send_reset_link(email: str) -> None:
    """Write to the active account with this address, if there is one; whoever asked isn't told."""
    owe_reset_link(email)
    notices.services.send_due()


@shared_task
def forget_sessions() -> int:
    """Delete the sessions whose time is over."""
    return forget_ended_sessions()


@shared_task
def forget_failures() -> int:
    """Delete the refused passwords that no limit looks at any more."""
    return forget_old_failures()
