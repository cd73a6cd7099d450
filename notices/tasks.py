"""Hints to look for mails. What is owed stands in the database, so a lost task only delays."""

from __future__ import annotations

from celery import shared_task

from notices import services


@shared_task
def send() -> int:
    """Send what is due. Sent after commits that owe mails, and by beat."""
    return services.send_due()


@shared_task
def forget() -> int:
    """Delete mails that ended long ago."""
    return services.forget_old()
