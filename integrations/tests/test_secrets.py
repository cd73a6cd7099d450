"""Secrets of webhooks, and the queries of their addresses: sealed in the database, shown once."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from pytest_django import Settings

import audit.services
from integrations import delivering, tasks
from integrations.models import Webhook
from integrations.tests.receivers import Outside
from rest_contract.models import IdempotencyKey
from sealing import unseal

pytestmark = pytest.mark.django_db
HOOKS = "/api/v1/webhooks/"


def registered(api: Any, outside: Outside, **headers: str) -> dict[str, Any]:
    url = f"http://127.0.0.1:{outside.server_port}/in?token=canary7"
    made: dict[str, Any] = api.post(HOOKS, {"url": url}, format="json", headers=headers).json()
    return made


def everything() -> str:
    """Every text that the tables around webhooks hold."""
    with connection.cursor() as cursor:
        found = []
        tables = ("integrations_webhook", "audit_auditentry", "rest_contract_idempotencykey", "integrations_delivery")
        for table in tables:
            cursor.execute(f"SELECT t::text FROM {table} t")
            found += [row[0] for row in cursor.fetchall()]
    return "\n".join(found)


def test_neither_secret_nor_token_stands_in_the_database(api: Any, outside: Outside) -> None:
    made = registered(api, outside, **{"Idempotency-Key": "k1"})
    audit.services.announce("merge.done", {})
    outside.answer = 500
    tasks.deliver()
    api.patch(f"{HOOKS}{made['id']}/", {"url": f"http://127.0.0.1:{outside.server_port}/?again=canary7"}, format="json")
    text = everything()
    assert made["secret"] not in text
    assert made["secret"].removeprefix("whsec_") not in text
    assert "canary7" not in text


def test_the_same_key_gets_the_same_answer(api: Any, outside: Outside) -> None:
    made = registered(api, outside, **{"Idempotency-Key": "k1"})
    assert registered(api, outside, **{"Idempotency-Key": "k1"}) == made
    assert Webhook.objects.count() == 1
    assert IdempotencyKey.objects.get().body.startswith("sealed:")


def test_an_answer_whose_key_is_lost_is_no_fault(api: Any, outside: Outside, settings: Settings, problem: Any) -> None:
    registered(api, outside, **{"Idempotency-Key": "k1"})
    settings.FIELD_KEYS = ["another"]
    url = f"http://127.0.0.1:{outside.server_port}/in?token=canary7"
    problem(api.post(HOOKS, {"url": url}, format="json", headers={"Idempotency-Key": "k1"}), 409, "answer_lost")


def test_the_query_is_sent_and_shown_to_nobody(api: Any, outside: Outside) -> None:
    made = registered(api, outside)
    assert made["url"].endswith("/in?…")
    assert api.get(HOOKS).json()["results"][0]["url"].endswith("/in?…")
    audit.services.announce("merge.done", {})
    delivering.take_events()
    (lane,) = delivering.claim()
    assert lane.target.endswith("/in?token=canary7")


def test_a_masked_address_sent_back_is_refused(api: Any, outside: Outside, problem: Any) -> None:
    made = registered(api, outside)
    problem(api.patch(f"{HOOKS}{made['id']}/", {"url": made["url"]}, format="json"), 400)
    assert Webhook.objects.get().target.endswith("canary7")


def test_rotation_ends_the_need_for_the_old_key(api: Any, outside: Outside, settings: Settings) -> None:
    made = registered(api, outside)
    settings.FIELD_KEYS = ["new", *settings.FIELD_KEYS]
    out = StringIO()
    call_command("rotate_keys", stdout=out)
    assert out.getvalue() == "Sealed anew: 1\n"
    settings.FIELD_KEYS = ["new"]
    webhook = Webhook.objects.get()
    assert (webhook.secret, webhook.target[-7:]) == (made["secret"], "canary7")


def test_rotation_names_what_no_key_opens(api: Any, outside: Outside, settings: Settings) -> None:
    lost = registered(api, outside)
    settings.FIELD_KEYS = ["new"]
    kept = registered(api, outside)
    with pytest.raises(CommandError, match=f"webhooks: {lost['id']}\\."):
        call_command("rotate_keys", stdout=StringIO())
    assert Webhook.objects.get(pk=kept["id"]).secret == kept["secret"]


@pytest.mark.django_db(transaction=True)
def test_the_migration_seals_what_is_there_and_back() -> None:
    def migrate(name: str) -> Any:
        executor = MigrationExecutor(connection)
        executor.migrate([("integrations", name)])
        return executor.loader.project_state([("integrations", name)]).apps.get_model("integrations", "Webhook")

    try:
        old = migrate("0002_fair_deliveries")
        old.objects.create(url="https://example.com/a?b=c", secret="whsec_x", events=[])
        new = migrate("0003_sealed_secrets").objects.get()
        assert (new.url, unseal(new.sealed_query), unseal(new.sealed_secret)) == (
            "https://example.com/a",
            "b=c",
            "whsec_x",
        )
        again = migrate("0002_fair_deliveries").objects.get()
        assert (again.url, again.secret) == ("https://example.com/a?b=c", "whsec_x")
        again.delete()
    finally:
        migrate("0003_sealed_secrets")
