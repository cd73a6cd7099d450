"""What can stand in the way of a webhook."""

from collections.abc import Mapping


class AddressRefused(Exception):
    """The address isn't one that the portal talks to; the text says why."""

    code = "address_refused"

    def __init__(self, detail: str) -> None:
        self.detail = detail
        super().__init__(detail)


class AddressesRefused(Exception):
    """Some addresses of many are refused: each by its place."""

    def __init__(self, refused: Mapping[int, AddressRefused]) -> None:
        self.refused = refused
        super().__init__(", ".join(f"{place}: {error}" for place, error in refused.items()))
