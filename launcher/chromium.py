"""Chromium for the browser tests: found, installed when we may, or missed in words."""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PACKAGES = ("chromium", "fonts-dejavu-core", "libatomic1")  # the last is for Playwright's driver


def main() -> None:
    """`python -m launcher.chromium`: afterwards there is one that tests can drive, or this ends with an error."""
    if find() and driver_runs():
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("» Installing Chromium and what drives it for the browser tests", flush=True)
        _apt_get("update")
        _apt_get("install", "--yes", "--no-install-recommends", *PACKAGES)
    if not (find() and driver_runs()):
        sys.exit(f"The browser tests need Chromium. Install it first: sudo apt install {' '.join(PACKAGES)}")


def find() -> str | None:
    """The path of a Chromium of this machine; `CHROMIUM` names another."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


def driver_runs() -> bool:
    """Whether Playwright's driver finds the machine's libraries that it needs."""
    command = [sys.executable, "-m", "playwright", "--version"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _apt_get(*arguments: str) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "-qq", *arguments]
    done = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)
    if done.returncode:
        sys.exit(f"`{' '.join(command)}` failed, see above. The browser tests need Chromium.")


if __name__ == "__main__":
    main()
