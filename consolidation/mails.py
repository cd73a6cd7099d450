"""The mail that tells a person how the consolidation ended."""

from __future__ import annotations

from django.template.loader import render_to_string

from accounts.models import User
from notices.letters import Letter, writes
from notices.models import Notice

KIND = "consolidation.done"


@writes(KIND)
def letter_about_consolidation(notice: Notice) -> Letter | None:
    """Which account is kept, and what to sign in with."""
    primary = User.objects.filter(pk=notice.recipient_id).exclude(email="").first()
    if primary is None:
        return None
    text, html = (render_to_string(f"emails/consolidated.{kind}", {"account": primary}) for kind in ("txt", "html"))
    return Letter(primary.email, "Your learning accounts are one now", text, html)
