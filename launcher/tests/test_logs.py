"""The logs of the private servers."""

from pathlib import Path

from launcher.account import Account
from launcher.logs import open_log


def test_nobody_else_reads_the_logs(tmp_path: Path) -> None:
    with open_log(tmp_path, "postgresql", Account.of(tmp_path)) as log:
        log.write(b"somebody's statement")
    file = tmp_path / "log" / "postgresql.log"
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
