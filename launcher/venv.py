"""Makes `.venv` and installs the pinned requirements when they changed.

Runs with the machine's own Python, before anything is installed: standard library alone.
"""

import fcntl
import hashlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST = (3, 11)
REQUIREMENTS = {
    "run": ["requirements.txt"],
    "dev": ["requirements.txt", "requirements-dev.txt"],
    "fuzz": ["requirements-fuzz.txt"],
}


def main() -> None:
    """`python3 launcher/venv.py run|dev|fuzz`."""
    what = sys.argv[1]
    folder = ROOT / (".venv-fuzz" if what == "fuzz" else ".venv")
    if sys.version_info < OLDEST:
        sys.exit("Python 3.11 or newer is needed. Name one, like: make PYTHON=python3.12 run")
    if folder.is_symlink():  # somebody else's, and looked after there
        return
    try:
        with (ROOT / ".venv.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            install(folder, what)
    except OSError as error:
        sys.exit(f"{folder} can't be made: {error.strerror}.")


def install(folder: Path, what: str) -> None:
    """Bring the environment in `folder` to what the requirements say; quick when it is."""
    files = [ROOT / name for name in REQUIREMENTS[what]]
    stamp = folder / f"installed-{what}"
    wanted = fingerprint(files)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    if not has_pip(folder):
        make(folder)
    print(
        f"» Installing {files[-1].name} into {folder.name} (a minute or two the first time)",
        flush=True,
    )
    command = [str(folder / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check", *_how_loud()]
    if subprocess.run([*command, "-r", str(files[-1])], check=False).returncode:
        sys.exit("The requirements could not be installed, see above.")
    stamp.write_text(wanted)
    if what == "dev":  # holds everything of "run" too
        (folder / "installed-run").write_text(fingerprint([ROOT / name for name in REQUIREMENTS["run"]]))


def fingerprint(files: list[Path]) -> str:
    """What was installed, and for which Python."""
    content = hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()
    return f"{sys.version_info.major}.{sys.version_info.minor} {content}\n"


def has_pip(folder: Path) -> bool:
    """Whether an environment is there that can install: not half made, not of a Python that is gone."""
    python = folder / "bin" / "python"
    if not python.exists():
        return False
    return subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0


def make(folder: Path) -> None:
    """A fresh virtual environment."""
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        sys.exit("This Python can't make virtual environments yet. Do this first: apt install python3-venv")
    print(f"» Making {folder.name}", flush=True)
    if subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=False).returncode:
        sys.exit("The virtual environment could not be made, see above. On Debian: apt install python3-venv")


def _how_loud() -> list[str]:
    return [] if os.isatty(1) else ["--quiet"]


if __name__ == "__main__":
    main()
