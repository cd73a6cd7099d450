"""Telling the person how the consolidation ended."""

from celery import shared_task

import notices.services
from consolidation.mails import KIND
from consolidation.models import Consolidation


@shared_task
def tell(consolidation_id: int) -> None:
    """Mail the primary account, once."""
    consolidation = Consolidation.objects.get(pk=consolidation_id)
    notices.services.queue(KIND, [consolidation.primary_id], about=consolidation.pk)
    notices.services.send_due()
