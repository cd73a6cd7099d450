"""Which test says that it proves which line. Read from the source, so that nothing needs to be imported or run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIST = ROOT / "docs" / "requirements.md"
LINE = re.compile(r"^- \*\*(?P<id>(?:S\d|P)\.\d+)\*\* (?P<page>\(page\) )?(?P<text>.+)$")
ELSEWHERE = {".venv", ".venv-fuzz", ".git", ".data", ".test-data", "node_modules", "staticfiles"}


@dataclass(frozen=True)
class Line:
    """One line of the requirements."""

    id: str
    text: str
    is_about_a_page: bool


@dataclass(frozen=True)
class Proof:
    """A test that names a line. `uses_a_browser`: it lies with the browser tests."""

    line: str
    test: str
    uses_a_browser: bool


def lines() -> list[Line]:
    found = (LINE.match(text) for text in LIST.read_text(encoding="utf-8").splitlines())
    return [Line(match["id"], match["text"], bool(match["page"])) for match in found if match]


def proofs() -> list[Proof]:
    return [proof for path in _test_files(ROOT) for proof in proofs_in(path)]


def proofs_in(path: Path) -> Iterator[Proof]:
    """Every `covers` over a test function or a class of tests, and module-wide in `pytestmark`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    in_browser = "browser" in path.parts or "browser" in path.stem
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            named = [line for decorator in node.decorator_list for line in _named(decorator)]
        elif isinstance(node, ast.Assign) and any(getattr(each, "id", "") == "pytestmark" for each in node.targets):
            named = [line for part in ast.walk(node.value) for line in _named(part)]
        else:
            continue
        name = f"{path.relative_to(ROOT) if ROOT in path.parents else path.name}::{getattr(node, 'name', 'pytestmark')}"
        yield from (Proof(line, name, in_browser) for line in named)


def _named(decorator: ast.AST) -> list[str]:
    """The lines in `pytest.mark.covers("S2.16", …)`; a marker may not be computed."""
    if not (isinstance(decorator, ast.Call) and getattr(decorator.func, "attr", "") == "covers"):
        return []
    return [ast.literal_eval(argument) for argument in decorator.args]


def _test_files(root: Path) -> Iterator[Path]:
    for path in sorted(root.rglob("test_*.py")):
        if not ELSEWHERE & set(path.relative_to(root).parts):
            yield path
