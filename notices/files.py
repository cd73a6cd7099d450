"""Mail into files of the data folder, for trying the portal out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.core.mail.backends.filebased import EmailBackend as FileBackend


class EmailBackend(FileBackend):
    """As Django's, for the portal's own account alone: mails hold links that open accounts."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        Path(self.file_path).chmod(0o700)

    def open(self) -> bool:
        if self.stream:
            return False
        name = self._get_filename()  # type: ignore[attr-defined]  # the stubs lack it
        descriptor = os.open(name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self.stream = os.fdopen(descriptor, "ab")  # type: ignore[assignment]  # bytes, whatever the stubs say
        return True
