"""What can stand in the way of a consolidation; each with a code and a sentence."""


class ConsolidationError(Exception):
    """A step that was refused."""

    def __init__(self, detail: str, code: str) -> None:
        self.detail, self.code = detail, code
        super().__init__(detail)
