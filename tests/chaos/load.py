"""Threads that write, and repeat what got no clear reply with the same idempotency key until it is clear."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

from tests.chaos.browser import Importer
from tests.chaos.ledger import Ledger
from tests.chaos.portal import HOST, PASSWORD, Portal

UNCLEAR = {0, 429, 500, 502, 503, 504}
PATIENCE = 20.0  # seconds for one reply
BATCH = 10


class Load:
    """`start` it, let the faults happen, `stop` it: it returns when every request has its clear reply."""

    def __init__(self, portal: Portal, cast: dict[str, Any], ledger: Ledger, *, seed: int, threads: int = 4) -> None:
        self.portal, self.cast, self.ledger = portal, cast, ledger
        self._stopping, self._given_up = threading.Event(), threading.Event()
        self._pairs, self._links = list(cast["pairs"]), self._all_links()
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._run, args=(random.Random(seed * 100 + number),), daemon=True)
            for number in range(threads)
        ]
        accounts = [account["username"] for group in cast["groups"] for account in group]
        self._importer = Importer(portal, ledger, accounts, self._given_up)
        self._threads.append(threading.Thread(target=self._import, daemon=True))

    def start(self) -> None:
        """Write from now on."""
        for thread in self._threads:
            thread.start()

    def stop(self, within: float) -> bool:
        """Whether every request got its clear reply in time."""
        self._stopping.set()
        ends = time.monotonic() + within
        for thread in self._threads:
            thread.join(max(ends - time.monotonic(), 0))
        clear = not any(thread.is_alive() for thread in self._threads)
        self._given_up.set()
        return clear

    def _run(self, chance: random.Random) -> None:
        acts: list[Callable[[random.Random], None]] = [self._one_record, self._many_records, self._merge, self._link]
        while not self._stopping.is_set():
            chance.choices(acts, weights=[6, 2, 1, 1])[0](chance)
            time.sleep(0.02)

    def _import(self) -> None:
        while not self._stopping.is_set():
            self._importer.one_file()
            self._stopping.wait(1)

    def _one_record(self, chance: random.Random) -> None:
        [when] = self.ledger.moments(1)
        if self._post("learning-records/", self._record(chance, when)):
            self.ledger.records[when] = 1

    def _many_records(self, chance: random.Random) -> None:
        moments = self.ledger.moments(BATCH)
        if self._post("learning-records/", [self._record(chance, when) for when in moments]):
            self.ledger.records.update(dict.fromkeys(moments, 1))

    def _record(self, chance: random.Random, when: str) -> dict[str, Any]:
        account = chance.choice(chance.choice(self.cast["groups"]))
        return {
            "user": account["id"],
            "kind": "course",
            "course": chance.choice(self.cast["courses"]),
            "completed_at": when,
        }

    def _merge(self, chance: random.Random) -> None:
        pair = self._take(self._pairs)
        if pair is None:
            return
        source, destination = pair
        [when] = self.ledger.moments(1)
        record = {"user": source, "kind": "course", "course": self.cast["courses"][0], "completed_at": when}
        if self._post("learning-records/", record):
            self.ledger.records[when] = 1
        merge = self._post("merges/", {"source": source, "destination": destination, "reason": "chaos"})
        if merge:
            self.ledger.merges[merge["id"]] = (source, destination)
            if chance.random() < 0.6 and self._post(f"merges/{merge['id']}/undo/", {"reason": "chaos"}):
                self.ledger.undone.add(merge["id"])

    def _link(self, chance: random.Random) -> None:
        pair = self._take(self._links)
        if pair is None:
            return
        one, other = pair
        body = {"username": other["username"], "password": PASSWORD, "generate_equivalencies": chance.random() < 0.7}
        if self._post("links/", body, token=one["token"]):
            self.ledger.links.append((one["id"], other["id"]))

    def _all_links(self) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        return [link for a, b, c in self.cast["groups"] for link in ((a, b), (b, c))]

    def _take(self, what: list[Any]) -> Any:
        with self._lock:
            return what.pop(0) if what else None

    def _post(self, path: str, body: Any, token: str = "") -> Any:
        """The reply's body once it is clear, else None: refused, or given up. Some are repeated though they were clear."""
        key, status, reply = uuid.uuid4().hex, 0, None
        while not self._given_up.is_set():
            status, reply = self._send(path, body, token or self.cast["admin"], key)
            self.ledger.count(status)
            if status not in UNCLEAR and not (status == 409 and _still_runs(reply)):
                break
            self.ledger.repeat()
            time.sleep(0.3)
        if 200 <= status < 300:
            self._repeat(path, body, token or self.cast["admin"], key, reply)
            return reply
        self.ledger.refused.append(f"{path} {status} {reply}")
        return None

    def _repeat(self, path: str, body: Any, token: str, key: str, reply: Any) -> None:
        """Once more with the same key: another row would be found at the end, another reply is told at once."""
        if int(key[0], 16) >= 4:
            return
        status, again = self._send(path, body, token, key)
        self.ledger.count(status)
        self.ledger.repeat()
        if 200 <= status < 300 and again != reply:
            self.ledger.refused.append(f"{path} repeated: another reply to the same key")

    def _send(self, path: str, body: Any, token: str, key: str) -> tuple[int, Any]:
        line = http.client.HTTPConnection(HOST, self.portal.port, timeout=PATIENCE)
        headers = {
            "Host": f"localhost:{self.portal.port}",
            "Content-Type": "application/json",
            "Authorization": f"Bearer {token}",
            "Idempotency-Key": key,
        }
        try:
            line.request("POST", f"/api/v1/{path}", json.dumps(body), headers)
            response = line.getresponse()
            return response.status, json.loads(response.read() or b"null")
        except (OSError, http.client.HTTPException, ValueError):
            return 0, None
        finally:
            line.close()


def _still_runs(reply: Any) -> bool:
    """Another request with this key is at work, perhaps of a process that was just killed."""
    return isinstance(reply, dict) and reply.get("code") == "still_running"
