"""One POST to an outside address, and to nothing inside.

The name is resolved once, every address it has is checked, and the connection goes to the address that was checked: a
name that points elsewhere a moment later changes nothing. Redirects aren't followed.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from integrations.errors import AddressRefused

SECONDS: float = 10
TOO_MANY = 429
PORTS = {"http": 80, "https": 443}
# The registries of special addresses at IANA, in full: what `ipaddress` knows of them depends on Python's version.
NOT_PUBLIC_4 = [
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    )
]  # fmt: skip
PUBLIC_6 = ipaddress.ip_network("2000::/3")
# Within that: protocols with Teredo among them, documentation, 6to4, and name servers' own.
NOT_PUBLIC_6 = [
    ipaddress.ip_network(network)
    for network in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
]
NAT64 = ipaddress.ip_network("64:ff9b::/96")


@dataclass(frozen=True)
class Answer:
    """What came of one attempt: a status, or none; `error` is empty when the message was taken."""

    status: int | None
    error: str

    @property
    def is_failing(self) -> bool:
        """Whether the receiver as a whole seems to fail, not this message alone."""
        return bool(self.error) and (self.status is None or self.status >= 500 or self.status == TOO_MANY)


def attempt(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Send once, whatever comes of it."""
    try:
        status = post(url, body, headers)
    except AddressRefused as error:
        return Answer(None, error.detail)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Answer(None, f"{type(error).__name__}: {error}")
    return Answer(status, "" if 200 <= status < 300 else f"answered with {status}")


def post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Send the body; the status of the answer. Raises AddressRefused, OSError and http.client.HTTPException.

    All of it takes SECONDS at most: a receiver that sends a byte now and then is cut off like one that sends none.
    """
    parts = split(url)
    connection = _connection(parts, resolve(parts))
    clock = threading.Timer(SECONDS, connection.cut)
    clock.daemon = True
    clock.start()
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target, body, dict(headers))
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException, ValueError):
        if not connection.is_cut:
            raise
    finally:
        clock.cancel()
        connection.close()
    if connection.is_cut:
        raise TimeoutError(f"the answer took longer than {SECONDS:g} seconds")
    return status


def split(url: str) -> SplitResult:
    """The parts of a usable address. Raises AddressRefused for anything but http and https without credentials."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise AddressRefused("This is not an address.") from error
    if parts.scheme not in PORTS or not parts.hostname or parts.username is not None or port == 0:
        raise AddressRefused("Give an address that starts with https:// or http:// and holds no user name.")
    if not url.isascii() or not url.isprintable() or " " in url:
        raise AddressRefused("An address has visible ASCII characters alone.")
    return parts


def resolve(parts: SplitResult) -> str:
    """The IP address to connect to. Raises AddressRefused when the name leads inside, and OSError when nowhere."""
    host = parts.hostname or ""
    try:
        found = socket.getaddrinfo(host, parts.port or PORTS[parts.scheme], type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise AddressRefused("This is not the name of a host.") from error
    addresses = [str(entry[4][0]) for entry in found]
    if not settings.WEBHOOKS_ALLOW_PRIVATE:
        for address in addresses:
            if not is_outside(address):
                raise AddressRefused("This address leads to a private network, where webhooks don't go.")
    return addresses[0]


def is_outside(address: str) -> bool:
    """Whether an IP address is on the public internet, also when it hides another in itself."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv4Address):
        return not any(ip in network for network in NOT_PUBLIC_4)
    hidden = _hidden(ip)
    if hidden is not None:
        return is_outside(str(hidden))
    return ip in PUBLIC_6 and not any(ip in network for network in NOT_PUBLIC_6)


def _hidden(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that one of IPv6 leads to: mapped, translated by NAT64, or in an ISATAP interface."""
    if ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    is_isatap = int(ip) >> 32 & 0xFDFFFFFF == 0x5EFE
    return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if ip in NAT64 or is_isatap else None


def _connection(parts: SplitResult, address: str) -> _Pinned:
    host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    if parts.scheme == "http":
        return _Pinned(address, host, port)
    return _PinnedTLS(address, host, port)


class _Pinned(http.client.HTTPConnection):
    """Connects to one IP address and speaks to the host by its name."""

    is_cut = False

    def __init__(self, address: str, host: str, port: int) -> None:
        super().__init__(host, port, timeout=SECONDS)
        self.address = address

    def connect(self) -> None:
        self.sock = socket.create_connection((self.address, self.port), self.timeout)
        if self.is_cut:
            raise TimeoutError

    def cut(self) -> None:
        """Called by another thread: whoever reads or writes finds the line dead."""
        self.is_cut = True
        line = self.sock
        if line is not None:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)


class _PinnedTLS(_Pinned):
    """The same over TLS: the certificate must be the named host's."""

    default_port = 443

    def connect(self) -> None:
        super().connect()
        context = ssl.create_default_context()
        # First known by its name, then greeted, so that a greeting that never ends can be cut
        self.sock = context.wrap_socket(self.sock, server_hostname=self.host, do_handshake_on_connect=False)
        self.sock.do_handshake()
