"""Events leave the portal. The outbox and the deliveries are the queue; this only looks at them."""

from celery import shared_task

from integrations import services

ROUNDS = 20


@shared_task
def deliver() -> None:
    """Turn waiting events into deliveries and try what is due, until nothing is left or other work wants its turn."""
    for _ in range(ROUNDS):
        if services.take_events() + services.deliver_due() == 0:
            return
