"""Mails that a portal without a mail server keeps as files. They hold names, addresses and links."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from email import policy
from email.parser import BytesParser
from pathlib import Path

from django.conf import settings

from privacy.person import Person

SEPARATOR = b"-" * 79


def forget_mails(person: Person) -> int:
    """Remove the kept mails that name the person; how many files."""
    wanted = [value.lower() for value in person.identifiers]
    named = [path for path in _files() if wanted and any(value in _text(path) for value in wanted)]
    return _remove(named)


def purge_mails(now: datetime) -> int:
    """Remove kept mails that are older than MAIL_FILES_KEEP_DAYS."""
    since = (now - timedelta(days=settings.MAIL_FILES_KEEP_DAYS)).timestamp()
    return _remove([path for path in _files() if path.stat().st_mtime < since])


def _files() -> Iterator[Path]:
    folder = Path(settings.EMAIL_FILE_PATH)
    if folder.is_dir():
        yield from (path for path in folder.iterdir() if path.is_file())


def _text(path: Path) -> str:
    """Headers and bodies, decoded: names with accents travel as base64 or quoted-printable."""
    parts = []
    with suppress(FileNotFoundError):  # another worker removed it
        for raw in path.read_bytes().split(SEPARATOR):
            message = BytesParser(policy=policy.default).parsebytes(raw.lstrip())
            bodies = [part.get_content() for part in message.walk() if part.get_content_maintype() == "text"]
            parts += [str(value) for value in (*message.values(), *bodies)]
    return "\n".join(parts).lower()


def _remove(paths: list[Path]) -> int:
    for path in paths:
        path.unlink(missing_ok=True)
    return len(paths)
