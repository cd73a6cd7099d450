"""Housekeeping."""

from celery import shared_task

from privacy import services


@shared_task
def purge() -> None:
    """Once an hour."""
    for _ in services.purge_all():
        pass
