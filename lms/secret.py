"""The signing key of an installation that was given none: made once, kept beside its data."""

import secrets
from contextlib import suppress
from pathlib import Path


def kept_secret(data_dir: Path) -> str:
    """Read the key of this data folder; make it, readable by its owner alone, the first time."""
    path = data_dir / "secret-key"
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        fresh = data_dir / f"secret-key.{secrets.token_hex(4)}"
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(50))
        with suppress(FileExistsError):
            path.hardlink_to(fresh)  # whoever comes first wins
        fresh.unlink()
    return path.read_text()
