"""The matrix as a page for people: docs/rights.md. `python -m tests.rights` writes it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from tests.rights import pages, rest
from tests.rights.cast import ACTORS, SUBJECTS
from tests.rights.matrix import Cell

PAGE = Path(__file__).resolve().parents[2] / "docs" / "rights.md"
SIGNS = {"o": "yes", "n": "403", "h": "404", "w": "sign in", "m": "405"}
HEAD = """# Who may do what

Made from `tests/rights` by `python -m tests.rights`; a test asks the real door for every cell, and fails for an address that isn't
here. **yes**: the act goes on to the rules of its kind. **403**: a right, role or scope is missing. **404**: as if it didn't exist;
in lists left out, in bodies and files an unknown id. **sign in**: 401, or to the sign-in page. **405**: no such method.

A token does what its owner may, as far as its scopes name it; *scopes* are those of which it needs one.
"""


def text() -> str:
    """The whole page."""
    return "\n".join([HEAD, *_explained("Columns", ACTORS), *_explained("Subjects", SUBJECTS), *_tables()])


def _explained(title: str, words: dict[str, str]) -> Iterator[str]:
    yield from (f"## {title}", "")
    yield from (f"- **{name}**: {meaning}" for name, meaning in words.items())
    yield ""


def _tables() -> Iterator[str]:
    cells = [*rest.rows(), *pages.rows()]
    for door, some in groupby(cells, lambda cell: cell.operation.door):
        yield from (f"## {door[0].upper()}{door[1:]}", "")
        yield f"| operation | on | {' | '.join(ACTORS)} | scopes |"
        yield "|---" * (len(ACTORS) + 3) + "|"
        yield from map(_line, some)
        yield ""


def _line(cell: Cell) -> str:
    one = cell.operation
    what = f" ({one.what})" if one.what else ""
    outcomes = " | ".join(SIGNS[letter] for letter in cell.outcomes)
    return f"| `{one.method} /{one.route}`{what} | {cell.subject} | {outcomes} | {' '.join(cell.scopes)} |"
