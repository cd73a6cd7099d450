"""The hint that something may be owed because of a record. Doors send it after the commit; it may get lost."""

import hints


def hint_owed() -> None:
    """Wake whoever issues what is owed, by the task's name: this app doesn't know that one."""
    hints.send("linking.tasks.issue_owed")
