"""A broker of a test's own, to be frozen, killed and filled up."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
import redis

from launcher.account import Programs

READY_WITHIN = 20.0


class Broker:
    """A Valkey server on a socket, and the ways in which one fails."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "broker.sock"
        self.client = redis.Redis(unix_socket_path=str(self.socket))
        command = [
            str(Programs.installed().valkey),
            "--port",
            "0",
            "--unixsocket",
            str(self.socket),
            "--dir",
            str(folder),
        ]
        self.process = subprocess.Popen([*command, "--save", ""], stdout=subprocess.DEVNULL)
        self._wait()

    def _wait(self) -> None:
        ends = time.monotonic() + READY_WITHIN
        while time.monotonic() < ends:
            try:
                self.client.ping()
            except redis.ConnectionError:
                time.sleep(0.02)
            else:
                return
        pytest.fail("The test's broker doesn't start.")

    def hints(self) -> list[tuple[str, list[object]]]:
        """What waits in its queue, oldest first: the name of the task and its ids."""
        messages = [json.loads(each) for each in reversed(self.client.lrange("celery", 0, -1))]
        return [(each["headers"]["task"], json.loads(base64.b64decode(each["body"]))[0]) for each in messages]

    def freeze(self) -> None:
        """It takes connections and never answers."""
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.process.pid, signal.SIGCONT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def fill(self) -> None:
        """Its memory is full, and nothing may be dropped."""
        self.client.config_set("maxmemory", 1)

    def lose_its_disk(self) -> None:
        """Saving fails, so that it refuses every write (MISCONF)."""
        (self.folder / "dump.rdb").mkdir()
        self.client.config_set("save", "1 1")
        ends = time.monotonic() + READY_WITHIN
        while time.monotonic() < ends:
            try:
                self.client.set("a", "b")
            except redis.exceptions.ResponseError:  # MISCONF
                return
            if not self.client.info("persistence")["rdb_bgsave_in_progress"]:
                self.client.bgsave()
            time.sleep(0.05)
        pytest.fail("The test's broker goes on writing.")

    def become_read_only(self) -> None:
        """A failover made it a replica."""
        self.client.replicaof("127.0.0.1", "1")

    def end(self) -> None:
        self.client.close()
        self.process.kill()
        self.process.wait()
