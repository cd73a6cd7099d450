"""Becomes a command that is asked to stop when the launcher dies: `python tether.py LAUNCHER COMMAND…`.

A program of its own, since code between fork and exec is unsafe in a process that has threads. Linux alone knows
such a signal; elsewhere the next start ends what was left behind. Standard library alone.
"""

import ctypes
import os
import signal
import sys

SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG


def main() -> None:
    """Ask for the signal, and look whether the launcher died before that."""
    launcher, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)
    if os.getppid() != launcher:
        sys.exit("The launcher has ended.")
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and exec would pass that on
    os.execvp(command[0], command)  # noqa: S606  # nosec B606


if __name__ == "__main__":
    main()
