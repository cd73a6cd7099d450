"""What the mails say. Every app registers the writers of its own kinds in its `mails.py`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from notices.models import Notice


@dataclass(frozen=True)
class Letter:
    """A mail as it is sent, to one address."""

    address: str
    subject: str
    text: str
    html: str = ""

    def send(self) -> None:
        """Hand it to the mail server. Raises OSError, which smtplib's errors are too."""
        mail = EmailMultiAlternatives(self.subject, self.text, settings.DEFAULT_FROM_EMAIL, [self.address])
        if self.html:
            mail.attach_alternative(self.html, "text/html")
        mail.send()


Writer = Callable[[Notice], Letter | None]
_writers: dict[str, Writer] = {}


def writes(kind: str) -> Callable[[Writer], Writer]:
    """Register the writer of one kind. It returns None when there is nobody to write to any more."""

    def register(writer: Writer) -> Writer:
        _writers[kind] = writer
        return writer

    return register


def written(notice: Notice) -> Letter | None:
    """The mail as it reads now. Raises KeyError for a kind that no app writes."""
    return _writers[notice.kind](notice)
