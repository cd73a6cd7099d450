"""Working on imports in the background. A task is a hint; the sweep finds what a lost hint left behind."""

from celery import shared_task

import hints
from bulk import services
from bulk.models import Import

BATCHES = 50


def hint_work(import_id: int) -> None:
    """For doors: have a worker look at this file."""
    hints.send("bulk.tasks.work", import_id)


@shared_task
def work(import_id: int) -> None:
    """Do some batches, then make room for other work and go on."""
    for _ in range(BATCHES):
        if not services.work(import_id):
            _tell_linking(import_id)
            return
    hint_work(import_id)


def _tell_linking(import_id: int) -> None:
    """Records that arrived may be owed to linked accounts; the hint goes by name."""
    if Import.objects.filter(pk=import_id, kind=Import.Kind.RECORDS, status=Import.Status.DONE).exists():
        hints.send("linking.tasks.issue_owed")


@shared_task
def sweep() -> None:
    """Go on with every file that is at work."""
    at_work = [Import.Status.CHECKING, Import.Status.RUNNING]
    for import_id in Import.objects.filter(status__in=at_work).values_list("id", flat=True):
        work(import_id)
