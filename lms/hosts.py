"""The host names that the portal answers to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

LOCAL: Final = ("localhost", "127.0.0.1", "[::1]")


def allowed_hosts(given: Sequence[str], portal_url: str) -> list[str]:
    """Those that are given; else this machine's own names and the host of the portal's address."""
    if given:
        return list(given)
    host = urlsplit(portal_url).hostname or ""
    named = f"[{host}]" if ":" in host else host
    return list(dict.fromkeys([*LOCAL, *([named] if named else [])]))
