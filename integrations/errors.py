"""What can stand in the way of a webhook."""


class AddressRefused(Exception):
    """The address isn't one that the portal talks to; the text says why."""

    code = "address_refused"

    def __init__(self, detail: str) -> None:
        self.detail = detail
        super().__init__(detail)
