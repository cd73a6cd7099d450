"""The hint that something may be owed because of a record. Doors send it after the commit; it may get lost."""

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError


def hint_owed() -> None:
    """Wake whoever issues what is owed, by the task's name: this app doesn't know that one."""
    transaction.on_commit(_send, robust=True)


def _send() -> None:
    try:
        current_app.send_task("linking.tasks.issue_owed", ignore_result=True)
    except OperationalError:
        return  # the sweep finds the work all the same
