"""Queued merges and what follows a merge. The queue is the merge's own row; a task is only a hint to look at it."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.db import transaction
from django.utils import timezone

import hints
import notices.services
from merging import services
from merging.errors import MergeIsBusy
from merging.mails import KIND, people_to_tell
from merging.models import Merge


def follow_up(merge: Merge) -> None:
    """For doors, after request_merge: hand a queued merge to the workers, tell the person of one that is done."""
    if merge.status == Merge.Status.QUEUED:
        hints.send("merging.tasks.run_merge", merge.pk)
    elif merge.status == Merge.Status.DONE and merge.notify and merge.notified_at is None:
        hints.send("merging.tasks.notify", merge.pk)


@shared_task
def run_merge(merge_id: int) -> None:
    """Carry out one queued merge. When its accounts are busy, the sweep tries again."""
    try:
        follow_up(services.execute_merge(merge_id))
    except MergeIsBusy:
        return


@shared_task
def sweep() -> None:
    """Find queued merges and untold people whose hints were lost."""
    late = timezone.now() - timedelta(seconds=5)
    for merge_id in Merge.objects.filter(status=Merge.Status.QUEUED, requested_at__lt=late).values_list(
        "id", flat=True
    ):
        run_merge(merge_id)
    untold = Merge.objects.filter(status=Merge.Status.DONE, notify=True, notified_at=None, performed_at__lt=late)
    for merge_id in untold.values_list("id", flat=True):
        notify(merge_id)


@shared_task
def notify(merge_id: int) -> None:
    """Tell the person, once, at each of their addresses, which account to use from now on.

    The mails are owed in one transaction, each for itself; then what is due is sent.
    """
    with transaction.atomic():
        waiting = Merge.objects.filter(pk=merge_id, status=Merge.Status.DONE, notify=True, notified_at=None)
        merge = waiting.select_for_update(skip_locked=True, no_key=True).first()  # two workers must not both write
        if merge is None:
            return
        notices.services.queue(KIND, people_to_tell(merge), about=merge.pk)
        merge.notified_at = timezone.now()
        merge.save(update_fields=["notified_at"])
    notices.services.send_due()
