"""What a person does on the pages of CSV imports, without a browser: sign in, upload, confirm."""

from __future__ import annotations

import http.client
import re
import threading
import time
import urllib.error
import urllib.request
import uuid
from http.cookiejar import CookieJar
from urllib.parse import urlencode

from tests.chaos.ledger import Ledger
from tests.chaos.portal import PASSWORD, Portal

PATIENCE = 20.0  # seconds for one reply
ROWS = 25


class Importer:
    """Uploads files of learning records, one after the other. A file counts as accepted when its confirmation was."""

    def __init__(self, portal: Portal, ledger: Ledger, accounts: list[str], given_up: threading.Event) -> None:
        self._root = f"http://localhost:{portal.port}"
        self._ledger, self._accounts, self._given_up = ledger, accounts, given_up
        self._cookies = CookieJar()
        self._open = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._cookies)).open
        self._signed_in = False

    def one_file(self) -> None:
        """Upload and confirm one. An upload without a clear reply is left: unconfirmed files change nothing."""
        if not self._signed_in and not self._sign_in():
            return
        moments = self._ledger.moments(ROWS)
        pk = self._upload(moments)
        if pk and self._until_clear(f"/imports/{pk}/", wanted=f"/imports/{pk}/confirm/") and self._confirm(pk):
            self._ledger.imports.add(pk)
            self._ledger.records.update(dict.fromkeys(moments, 1))

    def _sign_in(self) -> bool:
        self._send("/sign-in/")
        url, text = self._send("/sign-in/", {"username": "chaos", "password": PASSWORD})
        self._signed_in = bool(text) and "/sign-in/" not in url
        return self._signed_in

    def _upload(self, moments: list[str]) -> int:
        lines = ["user,kind,course,completed_at"]
        lines += [f"{self._accounts[n % len(self._accounts)]},course,C0,{when}" for n, when in enumerate(moments)]
        url, _ = self._send("/imports/records/upload/", file="\n".join(lines))
        found = re.search(r"/imports/(\d+)/$", url)
        return int(found[1]) if found else 0

    def _confirm(self, pk: int) -> bool:
        """To confirm again does nothing, so it is repeated until the reply is clear."""
        while not self._given_up.is_set():
            url, text = self._send(f"/imports/{pk}/confirm/", {})
            if url.endswith(f"/imports/{pk}/"):
                return "password" not in text.lower().split("<main", 1)[-1][:400]
            time.sleep(0.3)
        return False

    def _until_clear(self, path: str, wanted: str) -> bool:
        while not self._given_up.is_set():
            if wanted in self._send(path)[1]:
                return True
            time.sleep(0.3)
        return False

    def _send(self, path: str, fields: dict[str, str] | None = None, file: str = "") -> tuple[str, str]:
        """The address it ended at, and the page; both empty without a clear reply."""
        request = urllib.request.Request(self._root + path, headers={"Referer": self._root + path})
        if fields is not None or file:
            self._fill(request, fields or {}, file)
        try:
            with self._open(request, timeout=PATIENCE) as response:
                self._ledger.count(response.status)
                return response.url, response.read().decode()
        except urllib.error.HTTPError as error:
            self._ledger.count(error.code)
        except (OSError, http.client.HTTPException):
            self._ledger.count(0)
        return "", ""

    def _fill(self, request: urllib.request.Request, fields: dict[str, str], file: str) -> None:
        token = next((cookie.value or "" for cookie in self._cookies if "csrf" in cookie.name), "")
        request.add_header("X-CSRFToken", token)
        if not file:
            request.data = urlencode(fields).encode()
            return
        boundary = uuid.uuid4().hex
        part = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="chaos.csv"\r\n'
        request.data = f"{part}Content-Type: text/csv\r\n\r\n{file}\r\n--{boundary}--\r\n".encode()
        request.add_header("Content-Type", f"multipart/form-data; boundary={boundary}")
