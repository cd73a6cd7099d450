"""Housekeeping."""

from celery import shared_task

from rest_contract import idempotency


@shared_task
def forget_old_keys() -> None:
    """Once an hour."""
    idempotency.forget_old_keys()
