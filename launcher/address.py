"""The address of the web: chosen by the environment, refused when taken."""

import http.client
import os
import socket

from launcher.errors import CannotStart

LOCAL = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # nosec B104


class Address:
    """Where the web listens: `BIND` (127.0.0.1) and `PORT` (8000)."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port

    @classmethod
    def chosen(cls) -> "Address":
        """From the environment."""
        text = os.environ.get("PORT") or "8000"
        if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
            raise CannotStart(f"PORT must be a number from 1 to 65535, not {text!r}.")
        return cls(os.environ.get("BIND") or "127.0.0.1", int(text))

    @property
    def url(self) -> str:
        """As a browser opens it: by the address that was chosen, or on this machine."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{'localhost' if self.host in LOCAL or self._is_loopback else name}:{self.port}/"

    @property
    def is_public(self) -> bool:
        """Whether other machines may reach it."""
        return not self._is_loopback

    @property
    def _is_loopback(self) -> bool:
        return self.host.startswith("127.") or self.host in {"::1", "localhost"}

    @property
    def bind(self) -> str:
        """As gunicorn takes it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def answers(self, path: str = "/") -> bool:
        """Whether the portal says anything there, be it an error."""
        host = LOCAL.get(self.host, self.host)
        request = http.client.HTTPConnection(host, self.port, timeout=10)
        try:
            request.request("GET", path, headers={"Host": f"localhost:{self.port}"})
            request.getresponse()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            request.close()
        return True

    def refuse_taken(self) -> None:
        """Try it as gunicorn will, before anything takes time."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.port))
                probe.listen()
            except OSError as error:
                raise CannotStart(
                    f"Port {self.port} can't be used: {error.strerror}. "
                    f"Another program may have it; choose another, like PORT={self.port % 65535 + 1} make run."
                ) from error
