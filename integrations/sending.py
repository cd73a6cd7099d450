"""One POST to an outside address, and to nothing inside.

The name is resolved once, every address it has is checked, and the connection goes to the address that was checked: a
name that points elsewhere a moment later changes nothing. Redirects aren't followed.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from integrations.errors import AddressRefused

SECONDS = 10
PORTS = {"http": 80, "https": 443}


def post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Send the body; the status of the answer. Raises AddressRefused, OSError and http.client.HTTPException."""
    parts = split(url)
    address = resolve(parts)
    connection = _connection(parts, address)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target, body, dict(headers))
        return connection.getresponse().status
    finally:
        connection.close()


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
    if isinstance(ip, ipaddress.IPv6Address):
        hidden = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if hidden is not None:
            return is_outside(str(hidden))
        if ip in ipaddress.ip_network("64:ff9b::/96"):
            return is_outside(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
    return ip.is_global and not ip.is_multicast


def _connection(parts: SplitResult, address: str) -> http.client.HTTPConnection:
    host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    if parts.scheme == "http":
        return _Pinned(address, host, port)
    return _PinnedTLS(address, host, port)


class _Pinned(http.client.HTTPConnection):
    """Connects to one IP address and speaks to the host by its name."""

    def __init__(self, address: str, host: str, port: int) -> None:
        super().__init__(host, port, timeout=SECONDS)
        self.address = address

    def connect(self) -> None:
        self.sock = socket.create_connection((self.address, self.port), self.timeout)


class _PinnedTLS(_Pinned):
    """The same over TLS: the certificate must be the named host's."""

    default_port = 443

    def connect(self) -> None:
        super().connect()
        self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)
