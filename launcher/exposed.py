"""A portal that others than this machine can reach: what must not be reachable."""

import os
import subprocess
import sys

from launcher import where
from launcher.errors import CannotStart

REMEDY = (
    "Start with an empty portal instead: DEMO=0 and an empty DATA_DIR, then `python manage.py createsuperuser`. "
    "Or give these accounts other passwords (`python manage.py changepassword NAME`) or deactivate them. "
    "BIND=127.0.0.1, the default, keeps the portal on this machine."
)


def refuse_to_load_demo() -> None:
    """Raise CannotStart: everybody knows the password of the demo data."""
    raise CannotStart(f"BIND opens the portal to other machines, and the demo data's password is public. {REMEDY}")


def refuse_demo_password(environment: dict[str, str]) -> None:
    """Raise CannotStart when the demo data's password opens an account."""
    command = [sys.executable, "manage.py", "demo", "--open-accounts"]
    done = subprocess.run(command, cwd=where.ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotStart(f"The accounts couldn't be checked for the demo password.\n{done.stderr.strip()}")
    if names := done.stdout.split():
        raise CannotStart(
            "BIND opens the portal to other machines, and the public password of the demo data opens "
            f"{', '.join(names)}. {REMEDY}"
        )


def advice_on_hosts(url: str) -> list[str]:
    """Lines for the greeting: by which name alone the portal answers, when nobody said."""
    if os.environ.get("ALLOWED_HOSTS") or os.environ.get("PORTAL_URL"):
        return []
    return [f"Requests by other names than {url} are refused: set PORTAL_URL or ALLOWED_HOSTS to the name to be used."]
