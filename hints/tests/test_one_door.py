"""Nothing but `hints` speaks to the broker: a call elsewhere would wait for a hung one, or fail a finished request."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from lms.celery import app

ENQUEUES = {"delay", "delay_on_commit", "apply_async", "apply_async_on_commit", "send_task", "signature", "si"}
NOT_THE_PORTAL = {"hints", "tests", "migrations", "benchmarks", ".venv", ".venv-fuzz", ".data", ".test-data"}


def product() -> Iterator[Path]:
    root: Path = settings.BASE_DIR
    for path in root.rglob("*.py"):
        if not NOT_THE_PORTAL & set(path.relative_to(root).parts):
            yield path


def enqueuing(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in ENQUEUES:
            yield node.lineno


def hinted(tree: ast.AST) -> Iterator[ast.expr]:
    """The first argument of every `hints.send(…)`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "hints.send":
            yield node.args[0]


def test_nothing_else_enqueues() -> None:
    found = [f"{path}:{line}" for path in product() for line in enqueuing(ast.parse(path.read_text("utf-8")))]
    assert found == []


@pytest.mark.parametrize(
    "text", ["work.delay(1)", "f = work.apply_async", "app.send_task('x')", "t.delay_on_commit(2)"]
)
def test_it_sees_every_way_to_enqueue(text: str) -> None:
    assert list(enqueuing(ast.parse(text))) == [1]


def test_every_hint_names_a_task_that_exists() -> None:
    app.loader.import_default_modules()
    named = [name for path in product() for name in hinted(ast.parse(path.read_text("utf-8")))]
    assert len(named) >= 7
    assert [
        ast.unparse(name) for name in named if not isinstance(name, ast.Constant) or name.value not in app.tasks
    ] == []
