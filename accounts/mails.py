"""Mail to people about their accounts."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

import notices.services
from accounts.models import Status, User
from accounts.services.addresses import KIND as ADDRESS_CHANGED
from accounts.sign_in import reset_tokens
from notices.letters import Letter, writes
from notices.models import Notice

RESET: Final = "password.reset"


def owe_reset_link(email: str) -> None:
    """Owe a reset link to the active account with this address. Nobody's address costs the same, and gets nothing."""
    account = User.objects.by_email(email).filter(status=Status.ACTIVE).first()
    facts = {"epoch": account.session_epoch} if account else {}
    notices.services.queue(RESET, [account.pk if account else None], facts=facts)


@writes(RESET)
def letter_with_reset_link(notice: Notice) -> Letter | None:
    """A link made now, good for PASSWORD_RESET_TIMEOUT. None after that time, or once the account's access ended."""
    asked_lately = timezone.now() - notice.created_at < timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)
    account = User.objects.filter(pk=notice.recipient_id, status=Status.ACTIVE).exclude(email="").first()
    if account is None or not asked_lately or account.session_epoch != notice.facts["epoch"]:
        return None
    path = reverse("accounts:reset_password", args=[account.pk, reset_tokens.make_token(account)])
    context = {
        "account": account,
        "link": f"{settings.PORTAL_URL.rstrip('/')}{path}",
        "minutes": settings.PASSWORD_RESET_TIMEOUT // 60,
    }
    text, html = (render_to_string(f"emails/reset.{kind}", context) for kind in ("txt", "html"))
    return Letter(account.email, "Choose a new password", text, html)


@writes(ADDRESS_CHANGED)
def letter_to_old_address(notice: Notice) -> Letter | None:
    """Says that there is a new address, and not which."""
    account = User.objects.present().filter(pk=notice.recipient_id).first()
    if account is None:
        return None
    context = {"account": account, "portal": settings.PORTAL_URL}
    text, html = (render_to_string(f"emails/address_changed.{kind}", context) for kind in ("txt", "html"))
    return Letter(notice.address, "Your e-mail address was changed", text, html)
