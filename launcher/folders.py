"""Folders that another account can enter, whatever our umask says."""

from pathlib import Path


def make_folder(folder: Path) -> None:
    """Make it and what is missing above it, for every account to enter."""
    missing = [step for step in (folder, *folder.parents) if not step.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for step in missing:
        step.chmod(0o755)


def open_to_all(folder: Path) -> None:
    """Let every account read what is in `folder`, and run what its owner can run."""
    for step in (folder, *folder.rglob("*")):
        if not step.is_symlink():
            mode = step.stat().st_mode
            step.chmod(mode | (0o555 if mode & 0o100 else 0o444))
