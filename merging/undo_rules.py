"""Whether a journal can be played backwards at all, whoever asks."""

from __future__ import annotations

from merging import journal
from merging.errors import JournalOutdated, UndoRefused
from merging.models import Merge


def check_journal(merge: Merge) -> None:
    """Raise UndoRefused when the journal can't be played: its values were removed, or the portal has changed since."""
    if merge.values_forgotten_at is not None:
        detail = "The values that an undo would bring back were removed when its time had ended."
        raise UndoRefused(detail, code="undo_window_closed")
    if lost := journal.outdated(merge):
        detail = f"{JournalOutdated.detail} What is missing: {', '.join(lost)}."
        raise JournalOutdated(detail, facts={"missing": lost})
