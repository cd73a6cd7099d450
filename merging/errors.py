"""What can stand in the way of a merge. Each error has a stable code and a sentence for people; nothing about HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class MergeError(Exception):
    """A merge or undo that didn't happen. `facts` are plain values for machines."""

    code = "merge_refused"
    detail = "The merge was refused."

    def __init__(self, detail: str = "", *, code: str = "", facts: Mapping[str, Any] | None = None) -> None:
        self.detail = detail or self.detail
        self.code = code or self.code
        self.facts = dict(facts or {})
        super().__init__(self.detail)


class MergeRefused(MergeError):
    """A rule forbids it; the code names the rule."""


class ActorNotAllowed(MergeError):
    code = "not_allowed"
    detail = "You may not merge users. It takes a superadmin, or a power user with Users/View and Users/Edit."


class PlanIsStale(MergeError):
    code = "plan_is_stale"
    detail = "One of the accounts has changed since the review. Look at the new review and confirm again."


class MergeIsBusy(MergeError):
    code = "accounts_are_busy"
    detail = "Somebody else is working on one of these accounts. Try again in a moment."


class PreviewsAreBusy(MergeIsBusy):
    code = "previews_are_busy"
    detail = "Too many previews are running. Try again in a moment."


class RowsHaveChanged(MergeError):
    code = "rows_have_changed"
    detail = "Rows that the merge had written have changed since, so that it can't be undone without losing work."


class RowsUnaccounted(MergeError):
    code = "rows_unaccounted"
    detail = "The merge left other rows behind than its plan said, so it was rolled back. Nothing has changed."


class UndoRefused(MergeError):
    code = "undo_refused"
    detail = "This merge can't be undone."


class JournalOutdated(UndoRefused):
    """The journal names what this version of the portal doesn't have any more. `facts` says what."""

    code = "undo_not_possible"
    detail = "This merge was done before the portal was changed, and can't be undone any more."


class ChoicesInvalid(MergeError):
    """Choices that no page offers. `errors` name the field, a code and a sentence each."""

    code = "invalid"
    detail = "Some choices are not possible."

    def __init__(self, errors: Sequence[Mapping[str, str]]) -> None:
        self.errors = [dict(error) for error in errors]
        super().__init__(" ".join(error["detail"] for error in self.errors))
