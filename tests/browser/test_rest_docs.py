"""The page of the OpenAPI document, in a browser that obeys the portal's content security policy."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page


@pytest.mark.django_db(transaction=True)
def test_the_page_shows_every_resource_without_a_network(new_page: Callable[..., Page]) -> None:
    page = new_page()
    outside: list[str] = []
    page.on("request", lambda request: outside.append(request.url) if "localhost" not in request.url else None)
    page.goto("/api/v1/docs/")
    page.locator("#operations-users-users_list").wait_for(timeout=30_000)
    assert page.locator("#operations-merges-merges_preview_create").is_visible()
    assert [address for address in outside if not address.startswith("data:")] == []
