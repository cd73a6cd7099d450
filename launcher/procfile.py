"""The Procfile: the portal's processes and the command of each, for us and for other process managers."""

import re
from pathlib import Path

from launcher import where
from launcher.errors import CannotStart

LINE = re.compile(r"([A-Za-z0-9_-]+):\s*(\S.*)")


def commands(path: Path = where.ROOT / "Procfile") -> dict[str, str]:
    """Name to shell command, in the file's order. Raises CannotStart."""
    found: dict[str, str] = {}
    for line in path.read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        match = LINE.fullmatch(line.strip())
        if not match:
            raise CannotStart(f"{path} has a line that isn't `name: command`: {line}")
        found[match[1]] = match[2]
    return found
