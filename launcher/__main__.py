"""`python -m launcher run` starts the portal; `exec` runs a command beside its servers."""

import argparse
import os
import shutil
import signal
import subprocess
import sys
from types import FrameType

from launcher import portal, servers, where
from launcher.account import Programs
from launcher.errors import CannotStart


class Stopped(BaseException):
    """Somebody asked us to stop: Ctrl-C, SIGTERM or a closed terminal."""


def main() -> int:
    """Do what the command line says; 0 also when somebody stopped it."""
    arguments = _arguments()
    _listen_for_stop()
    try:
        if arguments.action == "run":
            portal.run()
        return _execute(arguments.command)
    except CannotStart as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 1
    except Stopped:
        return 0


def _execute(command: list[str]) -> int:
    data = where.data_dir()
    with servers.lease(data, say=portal.say):
        environment = portal.environment(data) | {"DATABASE_URL": where.owner_url(data)}
        environment["PATH"] = f"{Programs.installed().postgresql}{os.pathsep}{environment['PATH']}"
        return subprocess.run([_program(command, environment), *command[1:]], env=environment, check=False).returncode


def _program(command: list[str], environment: dict[str, str]) -> str:
    """As the command's own environment finds it: pg_dump and psql are among ours."""
    found = shutil.which(command[0], path=environment["PATH"]) if command else None
    if not found:
        raise CannotStart(f"There is no program {' '.join(command[:1]) or 'named'} to run beside the servers.")
    return found


def _listen_for_stop() -> None:
    signal.signal(signal.SIGINT, _stop)
    signal.signal(signal.SIGTERM, _stop)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup means: stay
        signal.signal(signal.SIGHUP, _stop)


def _stop(number: int, frame: FrameType | None) -> None:
    """Once: a second Ctrl-C must not leave half of it running."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    raise Stopped


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m launcher", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("run", help="start the portal; Ctrl-C stops it")
    execute = actions.add_parser("exec", help="run a command while the private servers are up")
    execute.add_argument("command", nargs=argparse.REMAINDER, help="the command and its arguments")
    return parser.parse_args()


if __name__ == "__main__":
    os.chdir(where.ROOT)
    sys.exit(main())
