"""Mail to people about their accounts. A lost hint here only means that they ask again."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse

from accounts.models import Status, User
from accounts.services.throttle import forget_old_failures
from accounts.sign_in import reset_tokens


@shared_task
def send_reset_link(email: str) -> None:
    """Write to the active account with this address, if there is one; whoever asked isn't told."""
    account = User.objects.by_email(email).filter(status=Status.ACTIVE).first()
    if account is None:
        return
    path = reverse("accounts:reset_password", args=[account.pk, reset_tokens.make_token(account)])
    context = {
        "account": account,
        "link": f"{settings.PORTAL_URL.rstrip('/')}{path}",
        "minutes": settings.PASSWORD_RESET_TIMEOUT // 60,
    }
    text, html = (render_to_string(f"emails/reset.{kind}", context) for kind in ("txt", "html"))
    mail = EmailMultiAlternatives("Choose a new password", text, settings.DEFAULT_FROM_EMAIL, [account.email])
    mail.attach_alternative(html, "text/html")
    mail.send()


@shared_task
def forget_failures() -> int:
    """Delete the refused passwords that no limit looks at any more."""
    return forget_old_failures()
