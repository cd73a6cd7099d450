"""How the portal is supervised: who is watched, by which signs of life, and in which order all of it ends."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from launcher import procfile, servers, where
from launcher.account import Account
from launcher.address import Address
from launcher.child import Child
from launcher.errors import CannotStart
from launcher.heartbeat import Heartbeat
from launcher.keeper import Keeper
from launcher.kept import Kept, Watch
from launcher.probe import WebProbe
from launcher.supervisor import Supervisor
from launcher.terminal import Terminal

PATIENCE = 30  # seconds of silence, when WATCHDOG_SECONDS says nothing
SEND_SIGNS = {"worker", "beat"}  # by themselves; the web is asked


def patience() -> float:
    """After how many seconds without a sign of life a process is started again. Raises CannotStart."""
    text = os.environ.get("WATCHDOG_SECONDS") or str(PATIENCE)
    if not (text.isascii() and text.isdigit() and 5 <= int(text) <= 3600):
        raise CannotStart(f"WATCHDOG_SECONDS must be a number from 5 to 3600, not {text!r}.")
    return float(text)


@dataclass(frozen=True)
class Setting:
    """What every process of one portal shares."""

    data: Path
    address: Address
    environment: Mapping[str, str]
    terminal: Terminal


@contextlib.contextmanager
def supervised(setting: Setting) -> Iterator[Supervisor]:
    """The supervisor of the Procfile's processes and the private servers; the processes are ended afterwards."""
    with contextlib.ExitStack() as stack:
        keepers = [Keeper(kind, setting.data, setting.terminal.say) for kind in servers.not_given()]
        kept = [_kept(setting, name, command, stack) for name, command in procfile.commands().items()]
        supervisor = Supervisor(kept, setting.data, lambda: {each.key: each.status() for each in keepers})
        for keeper in keepers:
            stack.callback(keeper.stop)
            keeper.start()
        stack.callback(supervisor.stop)  # before the keepers: what ends needs its servers
        yield supervisor


def _kept(setting: Setting, name: str, command: str, stack: contextlib.ExitStack) -> Kept:
    environment, watch = dict(setting.environment), None
    if name == "web":
        probe = WebProbe(setting.address)
        probe.start()
        stack.callback(probe.stop)
        watch = Watch(probe.heard, patience(), probe.advice)
    elif name in SEND_SIGNS:
        heartbeat = Heartbeat(_socket(setting.data, name))
        stack.callback(heartbeat.close)
        environment |= heartbeat.environment(patience())
        watch = Watch(heartbeat.heard, patience())
    return Kept(name, lambda: Child(name, command, environment, setting.terminal), setting.terminal.say, watch)


def _socket(data: Path, name: str) -> Path:
    """Beside the servers' own, in a folder that is closed to others."""
    folder = where.socket_dir(data)
    Account.of(where.home(data)).own_folder(folder)
    return folder / f"{name}.alive"
