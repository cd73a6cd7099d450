"""`manage.py` with the same variables reaches the same data, also while the portal is stopped.

A command that needs the private servers gets them for as long as it runs (a fraction of a second
to start). Standard output stays the command's own.
"""

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence

from launcher import servers, where
from launcher.errors import CannotStart

NEED_NO_SERVER = {
    "check",
    "collectstatic",
    "compilemessages",
    "diffsettings",
    "findstatic",
    "help",
    "makemessages",
    "spectacular",
    "startapp",
    "version",
}
# What changes tables or empties them; everything else runs under the role that web and worker have.
NEED_OWNER = {"demo", "flush", "migrate", "pgtrigger", "sqlflush", "test", "testserver"}


@contextlib.contextmanager
def servers_for(argv: Sequence[str]) -> Iterator[None]:
    """Have the private servers up around the command `argv`, when it needs them, under the role that it needs."""
    if NEED_OWNER & set(argv[1:2]):
        os.environ.setdefault("DATABASE_ROLE", "owner")
    if not needs_servers(argv):
        yield
        return
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(servers.lease(where.data_dir(), say=_say))
        except CannotStart as problem:
            sys.exit(str(problem))
        yield


def needs_servers(argv: Sequence[str]) -> bool:
    """Whether this command line may open the database."""
    options = set(argv[2:])
    if len(argv) < 2 or argv[1].startswith("-") or options & {"--help", "-h", "--version"}:
        return False
    return argv[1] not in NEED_NO_SERVER or "--database" in options


def _say(what: str) -> None:
    print(f"{what} for this command", file=sys.stderr)
