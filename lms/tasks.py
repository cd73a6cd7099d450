"""The portal's own task: a sign of life."""

import time

from celery import shared_task
from django.core.cache import cache

from lms.health import BEAT, SILENT_AFTER


@shared_task
def beat() -> None:
    """Beat reached a worker: `/health/` tells so."""
    cache.set(BEAT, time.time(), SILENT_AFTER)
