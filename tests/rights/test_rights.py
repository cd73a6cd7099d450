"""Every cell of the matrix is asked of the real door."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.db import connection, transaction
from django.urls import URLResolver, get_resolver
from pytest_django import DjangoDbBlocker

from merging.models import Merge
from tests.rights import pages, rest
from tests.rights.cast import ACTORS, Cast, gather
from tests.rights.doors import outcome
from tests.rights.matrix import Cell

NAMED = re.compile(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)")
pytestmark = pytest.mark.django_db
CELLS = [*rest.rows(), *pages.rows()]


@pytest.fixture(scope="module")
def cast(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Cast]:
    """Made once, in a transaction that is taken back at the end; each cell takes back its own."""
    with django_db_blocker.unblock(), transaction.atomic():
        cast = gather()
        for cell in CELLS:
            cell.operation.request(cast, cell.subject)  # makes its rows, for all actors alike
        Merge.objects.update(policy="best_record")  # also of those that other rows brought along
        yield cast
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def without_rate_limits(settings: Any) -> None:
    """Thousands of requests come from one caller."""
    settings.RATE_LIMIT_TOKEN = settings.RATE_LIMIT_ANONYMOUS = 0


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.id)
def test_the_door_does_as_the_matrix_says(cast: Cast, cell: Cell) -> None:
    wrong = []
    for actor, credential, expected in cell.expected():
        got = ask(cast, cell, actor, credential)
        if got != expected:
            wrong.append(f"{actor} by {credential}: {got}, not {expected}")
    assert not wrong, "; ".join(wrong)


def ask(cast: Cast, cell: Cell, actor: str, credential: str) -> str:
    """As if nobody had asked before: rows and cookies are put back."""
    browser = cast.browser(actor)
    cookies = {name: morsel.value for name, morsel in browser.cookies.items()}
    with transaction.atomic():
        got = outcome(cast, cell, actor, credential)
        transaction.set_rollback(True)
    connection.run_on_commit.clear()
    browser.cookies = SimpleCookie(cookies)
    return got


def test_there_are_enough_cells() -> None:
    assert len({cell.id for cell in CELLS}) == len(CELLS)
    assert sum(len(list(cell.expected())) for cell in CELLS) >= 1500
    assert all(len(cell.outcomes) == len(ACTORS) for cell in CELLS)


def addresses(patterns: Iterable[Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Every address of the portal, as the matrix writes it, and its view."""
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, route)
        else:
            yield NAMED.sub(r"<\1>", route).replace("^", "").replace("$", ""), pattern.callback


def test_every_address_is_in_the_matrix() -> None:
    known = {cell.operation.route for cell in CELLS}
    found = dict(addresses(get_resolver().url_patterns))
    assert set(found) - known == set()
    assert known - set(found) == set()


def test_every_rest_action_is_in_the_matrix() -> None:
    known = {(cell.operation.route, cell.operation.method.lower()) for cell in CELLS}
    asked = {
        (route, method)
        for route, view in addresses(get_resolver().url_patterns)
        for method in getattr(view, "actions", None) or {}
        if method != "head"
    }
    assert len(asked) > 100
    assert asked - known == set()


@pytest.mark.parametrize(
    "route", sorted({cell.operation.route for cell in rest.rows() if "<" not in cell.operation.route})
)
def test_rest_takes_no_other_method(cast: Cast, route: str) -> None:
    known = {cell.operation.method for cell in CELLS if cell.operation.route == route}
    client = cast.caller("superadmin", "read")
    if route == "api/":
        return
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - known:
        assert client.generic(method, f"/{route}").status_code in (403, 405)
