"""Chromium for the browser tests: found, installed when we may, or missed in words."""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PACKAGES = ("chromium", "fonts-dejavu-core")


def main() -> None:
    """`python -m launcher.chromium`: afterwards there is one, or this ends with an error."""
    if find():
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("» Installing Chromium for the browser tests", flush=True)
        _apt_get("update")
        _apt_get("install", "--yes", "--no-install-recommends", *PACKAGES)
    if not find():
        sys.exit("The browser tests need Chromium. Install it first: sudo apt install chromium")


def find() -> str | None:
    """The path of a Chromium of this machine; `CHROMIUM` names another."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


def _apt_get(*arguments: str) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "-qq", *arguments]
    done = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)
    if done.returncode:
        sys.exit(f"`{' '.join(command)}` failed, see above. The browser tests need Chromium.")


if __name__ == "__main__":
    main()
