"""What can stand in the way of a learning record. Each error has a stable code and a sentence; nothing about HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class LearningError(Exception):
    """An act that didn't happen. `facts` are plain values for machines."""

    code = "refused"
    detail = "This is not possible."

    def __init__(self, detail: str = "", *, code: str = "", facts: Mapping[str, Any] | None = None) -> None:
        self.detail = detail or self.detail
        self.code = code or self.code
        self.facts = dict(facts or {})
        super().__init__(self.detail)


class StateForbids(LearningError):
    """The rows are in a state in which this can't be done; the code names it."""

    code = "state_forbids"


class AlreadyEnrolled(StateForbids):
    code = "already_enrolled"
    detail = "The account is enrolled in this course already."


class EntriesInvalid(LearningError):
    """Some entries are wrong, so none was written. `errors` hold index, field, code and detail each."""

    code = "invalid"

    def __init__(self, errors: Sequence[Mapping[str, Any]]) -> None:
        self.errors = [dict(error) for error in errors]
        super().__init__(" ".join(dict.fromkeys(str(error["detail"]) for error in self.errors)))
