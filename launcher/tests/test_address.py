"""The address of the web."""

import socket

import pytest

from launcher.address import Address
from launcher.errors import CannotStart


def test_it_listens_on_port_8000_of_this_machine_alone() -> None:
    address = Address.chosen()

    assert (address.bind, address.url) == ("127.0.0.1:8000", "http://localhost:8000/")


def test_it_takes_the_port_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "8123")
    monkeypatch.setenv("BIND", "::1")

    assert Address.chosen().bind == "[::1]:8123"


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http", "80.5", "²"])
def test_it_refuses_what_is_no_port(port: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", port)

    with pytest.raises(CannotStart, match="PORT must be a number from 1 to 65535"):
        Address.chosen()


def test_it_refuses_a_port_that_is_taken() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(CannotStart, match=f"Port {port} can't be used: Address already in use"):
            Address("127.0.0.1", port).refuse_taken()


def test_it_accepts_a_free_port_again_and_again(free_port: int) -> None:
    address = Address("127.0.0.1", free_port)
    address.refuse_taken()
    address.refuse_taken()

    assert not address.answers()


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("0.0.0.0", "http://localhost:8160/"),
        ("127.0.0.5", "http://localhost:8160/"),
        ("10.1.2.3", "http://10.1.2.3:8160/"),
        ("2001:db8::1", "http://[2001:db8::1]:8160/"),
    ],
)
def test_it_is_opened_where_it_listens(host: str, url: str) -> None:
    assert Address(host, 8160).url == url
