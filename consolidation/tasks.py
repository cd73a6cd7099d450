"""Telling the person how the consolidation ended."""

from celery import shared_task
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from accounts.models import User
from consolidation.models import Consolidation


@shared_task
def tell(consolidation_id: int) -> None:
    """Mail the primary account: which account is kept, and what to sign in with."""
    consolidation = Consolidation.objects.get(pk=consolidation_id)
    primary = User.objects.filter(pk=consolidation.primary_id).exclude(email="").first()
    if primary is None:
        return
    context = {"account": primary}
    message = EmailMultiAlternatives(
        subject="Your learning accounts are one now",
        body=render_to_string("emails/consolidated.txt", context),
        to=[primary.email],
    )
    message.attach_alternative(render_to_string("emails/consolidated.html", context), "text/html")
    message.send()
