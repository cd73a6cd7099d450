"""A browser's own description in plain words: which one, on which system."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

# The first that fits counts: almost every browser also names those that it wants to be taken for.
BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
)
UNKNOWN: Final = "Unknown browser"


def in_words(description: str) -> str:
    """Such as "Firefox on Windows"; programs by the name that they give, such as "curl"."""
    browser, system = _first(BROWSERS, description), _first(SYSTEMS, description)
    if not browser and not description.startswith("Mozilla/"):
        program = description.partition("/")[0].strip()
        browser = program[:40] if program.isprintable() else ""
    return f"{browser or UNKNOWN} on {system}" if system else browser or UNKNOWN


def _first(names: Sequence[tuple[str, str]], description: str) -> str:
    return next((name for mark, name in names if mark in description), "")
