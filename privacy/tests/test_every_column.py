"""For each personal column of the registry: a person's value in it is gone after the erasure."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.models import SignInFailure, User
from accounts.services import delete_account
from accounts.services.throttle import target_key
from consolidation.models import Consolidation
from merging.models import JournalEntry, Merge
from privacy.registry import personal_columns
from rest_contract.models import IdempotencyKey
from tests.any_row import make
from tests.dumps import dump
from tests.factories import SuperadminFactory, UserFactory, at

CANARY = "kanarie7"
DAY = date(1987, 6, 5)
NAMED = [(line.model, column) for line in personal_columns() for column in line.columns]
pytestmark = pytest.mark.django_db


@pytest.fixture
def person() -> User:
    user: User = UserFactory.create(username=CANARY, email="x@example.com", first_name="X", last_name="Y")
    return user


def canary_in(field: models.Field[Any, Any], person: User) -> Any:
    """A value of the column that shows the canary."""
    if isinstance(field, models.JSONField):
        return {"username": CANARY, "id": person.pk}
    if isinstance(field, ArrayField):
        return [CANARY]
    if isinstance(field, models.DateTimeField):
        return at(1987, 6, 5)
    return DAY if isinstance(field, models.DateField) else CANARY


def belonging(model: type[models.Model], person: User, /, **more: Any) -> Any:
    """A row of the model that is the person's by its nearest way to an account."""
    if model is User:
        User.objects.filter(pk=person.pk).update(**more)
        return person
    return make(model, **_special(model, person) | _owners(model, person) | more)


def _owners(model: type[models.Model], person: User) -> dict[str, Any]:
    """The first reference to an account is to the person; a parent row is made to belong to them."""
    given: dict[str, Any] = {}
    for field in model._meta.local_concrete_fields:
        if not isinstance(field, models.ForeignKey) or (field.null and given):
            continue
        related: Any = field.related_model
        if related is User and person not in given.values():
            given[field.name] = person
        elif related is not User and related in PARENTS:
            given[field.name] = belonging(related, person)
    return given


PARENTS = {apps.get_model(label) for label in ("learning_records.Enrollment", "learning_records.LearningRecord",
                                               "merging.Merge", "audit.OutboxEvent", "consolidation.Consolidation")}  # fmt: skip


def _special(model: type[models.Model], person: User) -> dict[str, Any]:
    """What belongs to a person by another way than a reference."""
    if model is Consolidation:
        return {"other": UserFactory.create()}
    if model is JournalEntry:
        return {"model": "accounts.User", "ids": [person.pk], "section": "account", "before": {}, "after": {}}
    if model is LogEntry:
        of_users = ContentType.objects.get_for_model(User)
        return {"content_type": of_users, "object_id": str(person.pk), "action_flag": 2, "user": UserFactory.create()}
    if model is SignInFailure:
        return {"caller": f"account {person.pk}", "target": target_key(CANARY)}
    if model._meta.label == "bulk.ImportRow":
        return {"target": person.pk, "cells": {"id": "1"}}
    if model is IdempotencyKey:
        return {"owner": UserFactory.create(), "status": 200}
    return {}


def _values(model: type[models.Model], column: str, person: User) -> dict[str, Any]:
    if model is JournalEntry and column in ("before", "after"):
        return {column: {"username": CANARY, "external_id": CANARY, "merged_into_id": 1}}
    if model is JournalEntry and column == "what":
        return {column: f"Account {CANARY}"}
    if model is IdempotencyKey and column == "body":
        return {column: f'{{"results":[{{"id":{person.pk},"username":"renamed"}}]}}'}
    if model is SignInFailure:
        return {}
    field: Any = model._meta.get_field(column)
    return {column: canary_in(field, person)}


def shown(person: User) -> list[str]:
    """Rows in which the person still shows."""
    words = (CANARY, "1987-06-05", target_key(CANARY), "renamed", f'"account {person.pk}"')
    rows = [f"{table}: {row}" for table, found in dump(but=()).items() for row in found]
    return [row for row in rows if any(word in row.lower() for word in words)]


@pytest.mark.parametrize(("label", "column"), NAMED, ids=[".".join(pair) for pair in NAMED])
def test_it_is_clean_after_the_erasure_and_after_no_other(person: User, label: str, column: str) -> None:
    model = apps.get_model(label)
    belonging(model, person, **_values(model, column, person))
    before, root = shown(person), SuperadminFactory.create()
    assert before
    delete_account(actor=root, account_id=UserFactory.create().pk)
    assert shown(person) == before
    delete_account(actor=root, account_id=person.pk)
    assert shown(person) == []


def test_the_merge_of_others_keeps_its_values_but_not_the_name(person: User) -> None:
    """A reason may name anybody; what it says of others stays."""
    others = {"source": UserFactory.create(), "destination": UserFactory.create(), "performed_by": UserFactory.create()}
    merge = Merge.objects.create(**others, policy="best_record", reason=f"As {CANARY.title()} asked, both are one.")
    delete_account(actor=SuperadminFactory.create(), account_id=person.pk)
    merge.refresh_from_db()
    assert merge.reason == "As [removed] asked, both are one."
