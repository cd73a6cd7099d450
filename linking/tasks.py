"""Hints to look for work. What there is to do stands in the database, so a lost task only delays."""

from __future__ import annotations

from typing import Final

from celery import shared_task

import hints
from linking import services
from linking.notices import tell_members

SECONDS: Final = 60.0


@shared_task
def issue_owed() -> int:
    """Issue what is owed. Sent after every commit that may owe something, and by beat every few seconds."""
    return services.issue_owed(seconds=SECONDS)


@shared_task
def tell_of_links() -> int:
    """Mail the members of new links."""
    return tell_members()


@shared_task
def sweep() -> None:
    """Find what a lost hint left undone."""
    issue_owed()
    tell_of_links()


def hint_links() -> None:
    """Send the hint that there is a link to tell of; the sweep finds it when the hint gets lost."""
    hints.send("linking.tasks.tell_of_links")
