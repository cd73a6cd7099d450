"""The servers' logs, in `servers/log/` of the data folder."""

import os
from pathlib import Path
from typing import IO

from launcher.account import Account

TOO_LONG = 10_000_000  # bytes


def open_log(home: Path, name: str, account: Account) -> IO[bytes]:
    """The log to append to; one that has grown long is kept once as `.old`."""
    path = _path(home, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    if path.exists() and path.stat().st_size > TOO_LONG:
        path.rename(path.with_suffix(".old"))
    log = path.open("ab")
    os.fchmod(log.fileno(), 0o600)  # statements with people's values may stand in it
    os.fchown(log.fileno(), account.uid, account.gid)
    return log


def last_lines(home: Path, name: str) -> str:
    """What the server said last, for an error message."""
    lines = _path(home, name).read_text(errors="replace").splitlines()[-5:]
    return "\n".join([f"Its log ({_path(home, name)}) ends with:", *lines])


def _path(home: Path, name: str) -> Path:
    return home / "log" / f"{name}.log"
