"""Sealing and opening, by Fernet: AES in CBC mode with an HMAC, so that a changed text doesn't open."""

from __future__ import annotations

import base64
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.crypto import salted_hmac

MARK: Final = "sealed:"  # no JSON and no secret of ours begins so


class CannotUnseal(Exception):
    """None of the keys opens it: the key is lost, or the text was changed."""


def seal(text: str) -> str:
    """The text, encrypted under the newest key."""
    return MARK + _keys().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """The text again. Raises CannotUnseal."""
    try:
        return _keys().decrypt(_token(sealed)).decode()
    except InvalidToken as error:
        raise CannotUnseal from error


def reseal(sealed: str) -> str:
    """The same text under the newest key. Raises CannotUnseal."""
    try:
        return MARK + _keys().rotate(_token(sealed)).decode()
    except InvalidToken as error:
        raise CannotUnseal from error


def is_sealed(text: str) -> bool:
    return text.startswith(MARK)


def _token(sealed: str) -> bytes:
    if not is_sealed(sealed):
        raise CannotUnseal
    return sealed.removeprefix(MARK).encode()


def _keys() -> MultiFernet:
    return MultiFernet([_fernet(key) for key in settings.FIELD_KEYS])


def _fernet(key: str) -> Fernet:
    """Any text can be a key; what is used of it is good for nothing else."""
    derived = salted_hmac("sealing", "field", secret=key, algorithm="sha256").digest()
    return Fernet(base64.urlsafe_b64encode(derived))
