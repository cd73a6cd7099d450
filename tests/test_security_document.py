"""docs/security.md names every item of OWASP ASVS 5.0, levels 1 and 2, and proofs that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = (ROOT / "docs/security.md").read_text()
ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| ([12]) \| (\w+) \| (.*) \|$", re.MULTILINE)
STATES = {"met", "operator", "none", "gap"}
# How many items of levels 1 and 2 each chapter of ASVS 5.0.0 has.
ITEMS = dict(enumerate([27, 11, 19, 10, 9, 35, 18, 7, 7, 29, 14, 9, 13, 9, 13, 16, 7], start=1))


def test_it_names_every_item_once_with_a_state() -> None:
    rows = ROW.findall(DOCUMENT)
    names = [name for name, *_ in rows]
    assert len(names) == len(set(names))
    assert {chapter: sum(name.startswith(f"{chapter}.") for name in names) for chapter in ITEMS} == ITEMS
    assert {state for _, _, state, _ in rows} <= STATES
    assert all(words.strip() for *_, words in rows)


def test_every_proof_that_it_names_exists() -> None:
    named = set(re.findall(r"`([\w/]+\.py)(?:::(\w+))?`", DOCUMENT))
    assert len(named) > 50
    for path, test in named:
        assert (ROOT / path).is_file(), path
        assert not test or f"def {test}(" in (ROOT / path).read_text(), f"{path}::{test}"
    assert "@@" not in DOCUMENT
