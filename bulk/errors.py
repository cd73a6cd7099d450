"""What can stand in the way of an import; each with a code and a sentence."""


class ImportRefused(Exception):
    """A file or a step that was refused."""

    def __init__(self, detail: str, code: str = "invalid") -> None:
        self.detail, self.code = detail, code
        super().__init__(detail)
