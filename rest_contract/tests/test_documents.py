"""The document is made once, by one thread, and tells strangers nothing of this site."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from rest_contract import documents
from tests.factories import ProfileFieldFactory

PATH = "/api/v1/schema/"


@pytest.fixture(autouse=True)
def _none_made_yet() -> None:
    documents._kept.clear()


@pytest.mark.django_db(transaction=True)
def test_the_first_requests_may_come_all_at_once(live_server: Any) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: Client().get(PATH), range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1


@pytest.mark.django_db
def test_strangers_are_shown_no_custom_field(client: Client, api: APIClient) -> None:
    ProfileFieldFactory.create(key="union_member", type="yes_no")
    assert b"union_member" in api.get(PATH).content
    assert b"union_member" not in client.get(PATH).content
    assert json.loads(client.get(PATH).content)["openapi"].startswith("3.1")


@pytest.mark.django_db
def test_it_follows_the_custom_fields(api: APIClient) -> None:
    field = ProfileFieldFactory.create(key="shoe_size", type="number")
    assert b"shoe_size" in api.get(PATH).content
    field.delete()
    assert b"shoe_size" not in api.get(PATH).content


@pytest.mark.django_db
def test_it_is_made_once(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.get(PATH)
    monkeypatch.delattr(documents, "SchemaGenerator")
    assert client.get(PATH).status_code == 200
