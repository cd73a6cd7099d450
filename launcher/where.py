"""Where the private PostgreSQL and Redis of a data folder live.

Pure functions of the data folder: whoever has the same `DATA_DIR` gets the same addresses,
so settings, `manage.py`, the web, the worker and the launcher meet without telling each other.
"""

import hashlib
import os
import stat
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

ROOT = Path(__file__).resolve().parent.parent
DATABASE = "lms"
DATABASE_OWNER = "lms"  # makes and changes tables
APPLICATION_USER = "lms_app"  # web, worker and beat: reads and writes rows, owns nothing
SHARE = 4  # Redis databases that one portal, or one test process, has for itself

# PostgreSQL refuses to run as root, so root's servers run as another account, and that one may
# be unable to enter root's checkout. Their files then lie here, and DATA_DIR keeps a link.
OUTSIDE = Path("/var/lib/lms-portal")
SOCKET_PATH_LIMIT = 100  # bytes; the kernel allows 103 to 107
POSTGRES_PORT = 5432  # only names the socket file: nothing listens on TCP


def data_dir() -> Path:
    """The data folder of this environment; a relative `DATA_DIR` counts from the checkout."""
    return Path(os.path.normpath(ROOT / (os.environ.get("DATA_DIR") or ".data")))


def home(data: Path) -> Path:
    """The folder of the private servers: clusters, sockets, logs, locks."""
    inside = data / "servers"
    if inside.exists():
        return inside.resolve()
    if _owner(data) == 0 and not anyone_can_enter(data):
        return OUTSIDE / short_name(data)
    return inside


def socket_dir(data: Path) -> Path:
    """The folder of both sockets, short enough for a socket path."""
    folder = home(data) / "run"
    longest = folder / f".s.PGSQL.{POSTGRES_PORT}.lock"
    if len(os.fsencode(longest)) <= SOCKET_PATH_LIMIT:
        return folder
    return Path("/tmp") / f"lms-{short_name(home(data))}"  # noqa: S108  # nosec B108


def redis_socket(data: Path) -> Path:
    """The socket of the private Redis."""
    return socket_dir(data) / "redis.sock"


def database_url(data: Path, user: str = DATABASE_OWNER) -> str:
    """The private PostgreSQL as an URL, as libpq, psycopg2 and django-environ read it."""
    return f"postgresql://{user}@/{DATABASE}?host={quote(str(socket_dir(data)), safe='')}"


def application_url(data: Path) -> str:
    """The database for web, worker, beat and most commands: the one that is given, or the private one."""
    return os.environ.get("DATABASE_URL") or database_url(data, APPLICATION_USER)


def owner_url(data: Path) -> str:
    """The same database for whoever changes tables. Where one role alone is given, it is that one's."""
    if given := os.environ.get("DATABASE_URL"):
        return os.environ.get("DATABASE_OWNER_URL") or given
    return database_url(data)


def chosen_url(data: Path) -> str:
    """The database as this process opens it: as its owner when `DATABASE_ROLE` says so."""
    return owner_url(data) if os.environ.get("DATABASE_ROLE") == "owner" else application_url(data)


def redis_url(data: Path, db: int) -> str:
    """Database `db` (0 to 3) of the private Redis, as redis-py and Django's cache read it.

    Parallel test processes set `REDIS_SHARE`, so that each has databases of its own.
    """
    number = db + SHARE * int(os.environ.get("REDIS_SHARE") or 0)
    return f"unix://{quote(str(redis_socket(data)))}?db={number}"


def celery_url(url: str) -> str:
    """The same Redis as Celery writes it: it has its own form for sockets, TCP addresses are alike."""
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return url
    number = parse_qs(parts.query).get("db", ["0"])[0]
    return f"redis+socket://{parts.path}?virtual_host={number}"


def _owner(folder: Path) -> int:
    return folder.stat().st_uid if folder.exists() else os.getuid()


def anyone_can_enter(folder: Path) -> bool:
    """Whether every account of the machine can reach what is in `folder`."""
    existing = (step for step in (folder, *folder.parents) if step.exists())
    return all(step.stat().st_mode & stat.S_IXOTH for step in existing)


def short_name(folder: Path) -> str:
    """A name for `folder` that is always the same and hardly ever another folder's."""
    return hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
