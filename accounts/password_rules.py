"""What a password may not contain, beside what Django checks."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.exceptions import ValidationError


class ForbiddenWordsValidator:
    """Refuses passwords that are little more than a word everybody here knows: the portal's or the organisation's name.

    Such a word may be part of a long password: what remains without it must still have `remainder` characters.
    """

    def __init__(self, words: Iterable[str] = (), remainder: int = 4) -> None:
        self.words = sorted({word.lower() for word in words if word}, key=len, reverse=True)
        self.remainder = remainder

    def validate(self, password: str, user: object = None) -> None:
        rest = password.lower()
        for word in self.words:
            rest = rest.replace(word, "")
        if len(rest) < min(self.remainder, len(password)) and rest != password.lower():
            raise ValidationError(
                "This password is mostly a word that is easy to guess here. Choose other words, or a longer password.",
                code="password_forbidden_word",
            )

    def get_help_text(self) -> str:
        return "Your password can't be mostly the name of this portal or organisation."
