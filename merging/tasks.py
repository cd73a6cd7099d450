"""Queued merges. The queue is the merge's own row; a task is only a hint to look at it."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from merging import services
from merging.errors import MergeIsBusy
from merging.models import Merge


@shared_task
def run_merge(merge_id: int) -> None:
    """Carry out one queued merge. When its accounts are busy, the sweep tries again."""
    try:
        services.execute_merge(merge_id)
    except MergeIsBusy:
        return


@shared_task
def sweep() -> None:
    """Find queued merges whose hint was lost."""
    late = timezone.now() - timedelta(seconds=5)
    for merge_id in Merge.objects.filter(status=Merge.Status.QUEUED, requested_at__lt=late).values_list(
        "id", flat=True
    ):
        run_merge(merge_id)
