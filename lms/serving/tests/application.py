"""A small WSGI application for the worker's tests: what it does stands in the address."""

import time
from collections.abc import Iterable
from typing import Any

BIG = 20 * 1024 * 1024


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    path = environ["PATH_INFO"]
    if path == "/sleep/":
        time.sleep(3)
    elif path == "/hold/":
        time.sleep(6)
    body = b"x" * BIG if path == "/big/" else b"a" * 1_000_000 if path == "/middle/" else b""
    if path not in ("/big/", "/middle/", "/unread/"):
        body = b"%s %d" % (environ["REMOTE_ADDR"].encode(), len(environ["wsgi.input"].read()))
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
