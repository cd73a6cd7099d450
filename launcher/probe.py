"""Asks the web for a sign of life."""

import threading

from launcher.address import Address
from launcher.errors import CannotStart

EVERY = 3.0  # seconds


class WebProbe:
    """Asks `/health/` again and again; any reply is a sign of life, be it a 503."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._stopping, self._sign = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="web probe", daemon=True)

    def start(self) -> None:
        """Ask, until `stop`."""
        self._thread.start()

    def _run(self) -> None:
        while not self._stopping.wait(EVERY):
            if self._address.answers("/health/"):
                self._sign.set()

    def stop(self) -> None:
        """Ask no more."""
        self._stopping.set()

    def heard(self) -> bool:
        """Whether it replied since the last call."""
        was_set = self._sign.is_set()
        self._sign.clear()
        return was_set

    def advice(self) -> str:
        """Why the web may not start."""
        try:
            self._address.refuse_taken()
        except CannotStart as problem:
            return str(problem)
        return ""
