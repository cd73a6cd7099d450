"""`make check`: every check of the code that isn't a test, one line each, what fails in full."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from launcher import pytest_plugin, where
from launcher.errors import CannotStart

PYTHON = sys.executable
PLAIN = {
    "format": ["ruff", "format", "--check", "."],
    "lint": ["ruff", "check", "."],
    "types": ["mypy"],
    "templates": ["djlint", "--quiet", "--lint", "templates"],
    "security": ["bandit", "--quiet", "--recursive", "--configfile", "pyproject.toml", "."],
}
# Its module does nothing when it is run as one; only its command looks at the contracts.
IMPORTS = ["-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
DEPLOYED = {
    "DEBUG": "0",
    "SECRET_KEY": "only-for-this-check-" + "0123456789abcdefghijklmnopqrstuvwxyz" * 2,
    "HTTPS": "1",
    "ALLOWED_HOSTS": "portal.example.org",
}


def main() -> int:
    """Run all of them; 1 when one failed."""
    failed = [name for name, passed in _results() if not passed]
    if failed:
        print(f"\nFailed: {', '.join(failed)}")
        return 1
    print("\nAll checks passed.")
    return 0


def _results() -> Iterator[tuple[str, bool]]:
    for name, arguments in PLAIN.items():
        yield name, _passes(name, ["-m", *arguments], dict(os.environ))
    yield "imports", _passes("imports", IMPORTS, dict(os.environ))
    deploy = ["manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    yield "settings", _passes("settings", deploy, os.environ | DEPLOYED)
    with pytest_plugin.test_servers():
        migrations = ["manage.py", "makemigrations", "--check", "--dry-run"]
        yield "migrations", _passes("migrations", migrations, dict(os.environ))


def _passes(name: str, arguments: list[str], environment: dict[str, str]) -> bool:
    done = subprocess.run(
        [PYTHON, *arguments],
        cwd=where.ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    passed = done.returncode == 0
    print(f"{name:<12}{'ok' if passed else 'FAILED'}", flush=True)
    if not passed:
        print(done.stdout + done.stderr, flush=True)
    return passed


if __name__ == "__main__":
    os.chdir(Path(where.ROOT))
    try:
        sys.exit(main())
    except CannotStart as problem:
        sys.exit(str(problem))
