"""No column is forgotten."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import models

from privacy import registry
from privacy.checks import find_gaps, find_strays


@pytest.fixture
def seeded() -> Iterator[type[models.Model]]:
    """A model that somebody added without a line in privacy.py."""

    class Note(models.Model):
        text = models.TextField()
        tags = models.JSONField()
        on = models.DateField()
        caller = models.GenericIPAddressField()
        stars = models.IntegerField()
        written_at = models.DateTimeField()

        class Meta:
            app_label = "commerce"

        def __str__(self) -> str:
            return self.text

    yield Note
    del apps.all_models["commerce"]["note"]
    apps.clear_cache()


def test_every_column_is_named() -> None:
    assert [*find_gaps(), *find_strays()] == []


def test_a_column_that_nobody_named_fails_the_check_and_says_what_to_write(seeded: type[models.Model]) -> None:
    gaps = list(find_gaps())
    assert {gap.id for gap in gaps} == {"privacy.E001"}
    named = [gap.msg.split()[3] for gap in gaps]
    assert named == [f"commerce.Note.{column}" for column in ("text", "tags", "on", "caller")]
    assert 'personal("commerce.Note", "text", erase=...)' in str(gaps[0].hint)
    with pytest.raises(SystemCheckError, match=r"privacy\.E001"):
        call_command("check")


def test_one_line_names_a_column(seeded: type[models.Model], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_harmless", list(registry.harmless_columns()))
    registry.not_personal("commerce.Note", "text tags on caller", "words of a test")
    assert [*find_gaps(), *find_strays()] == []


def test_a_column_is_named_once_exists_and_has_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_harmless", list(registry.harmless_columns()))
    registry.not_personal("accounts.User", "email", "not so")
    registry.not_personal("accounts.User", "nickname", " ")
    found = {problem.id for problem in (*find_gaps(), *find_strays())}
    assert found == {"privacy.E002", "privacy.E003", "privacy.E004"}
