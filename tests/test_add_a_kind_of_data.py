"""The tutorial docs/add-a-kind-of-data.md, followed to the letter with the code that it shows."""

import importlib
import re
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import Model

import privacy.checks
import privacy.registry
from accounts.services import delete_account
from merging import handlers
from merging.checks import find_gaps
from merging.errors import MergeError
from merging.migration_checks import find_lost_names
from tests.factories import SuperadminFactory, UserFactory
from tests.merging_cases import Pair

PAGE = Path(__file__).resolve().parents[1] / "docs" / "add-a-kind-of-data.md"
BLOCKS = dict(re.findall(r"```python\n# ([^\n]+)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL))
pytestmark = pytest.mark.django_db


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The handlers and exemptions of this test alone."""
    copy = dict(handlers._handlers)
    monkeypatch.setattr(handlers, "_handlers", copy)
    return copy


@pytest.fixture
def loans(tmp_path: Path, settings: Any, registry: dict[str, Any]) -> Iterator[type[Model]]:
    """Step 1: the app with its model, installed, and its table."""
    folder = tmp_path / "lending"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "models.py").write_text(BLOCKS["lending/models.py"], encoding="utf-8")
    sys.path.insert(0, str(tmp_path))
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "lending"]
    model = importlib.import_module("lending.models").Loan
    with connection.schema_editor() as editor:
        editor.create_model(model)
    yield model
    sys.path.remove(str(tmp_path))
    for name in [name for name in sys.modules if name.partition(".")[0] == "lending"]:
        del sys.modules[name]
    apps.all_models.pop("lending")
    apps.clear_cache()


def follow(block: str, registry: dict[str, Any]) -> None:
    """Steps 2 and 3: write merge.py as the page shows it, and let it register itself."""
    registry.pop("loans", None)
    models = sys.modules["lending.models"]
    Path(str(models.__file__)).with_name("merge.py").write_text(BLOCKS[block], encoding="utf-8")
    sys.modules.pop("lending.merge", None)
    importlib.invalidate_caches()
    importlib.import_module("lending.merge")


def snapshot(model: type[Model]) -> list[dict[str, Any]]:
    return list(model._default_manager.order_by("pk").values())


def lend(model: type[Model], user: Model, item: str, day: int) -> Model:
    row: Model = model._default_manager.create(user=user, item=item, due_on=date(2026, 5, day))
    return row


@pytest.mark.covers("P.7")
def test_it_is_named_by_the_check_until_a_handler_claims_it(loans: type[Model], registry: dict[str, Any]) -> None:
    assert [gap.msg for gap in find_gaps()] == ["No merge handler claims lending.loan.user."]
    assert "(merging.E001) No merge handler claims lending.loan.user." in PAGE.read_text(encoding="utf-8")
    follow("lending/merge.py", registry)
    assert list(find_gaps()) == []


def test_its_columns_are_named_by_the_check_until_privacy_names_them(
    loans: type[Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "Nobody says whether lending.Loan.item holds personal values."
    assert said in [gap.msg for gap in privacy.checks.find_gaps()]
    assert f"(privacy.E001) {said}" in PAGE.read_text(encoding="utf-8")
    for name in ("_personal", "_harmless"):
        monkeypatch.setattr(privacy.registry, name, list(getattr(privacy.registry, name)))
    monkeypatch.setattr(privacy.registry, "_moments", dict(privacy.registry._moments))
    exec(BLOCKS["lending/privacy.py"], {})
    assert list(privacy.checks.find_gaps()) == []
    person = UserFactory.create(username="kanarie")
    loan = lend(loans, person, "Kanarie's cage", 1)
    delete_account(actor=SuperadminFactory.create(), account_id=person.pk)
    loan.refresh_from_db()
    assert loan.item == "[removed]'s cage"  # type: ignore[attr-defined]


def test_a_renamed_column_is_carried_over(loans: type[Model], registry: dict[str, Any]) -> None:
    follow("lending/merge.py", registry)
    module: dict[str, Any] = {}
    exec(BLOCKS["lending/migrations/0002_thing.py"], module)
    migration = module["Migration"]("0002_thing", "lending")
    assert list(find_lost_names([migration])) == []
    migration.operations.pop()
    (lost,) = find_lost_names([migration])
    assert f"(merging.E010) {lost.msg}" in PAGE.read_text(encoding="utf-8")


def test_it_moves_with_three_attributes_and_comes_back(loans: type[Model], registry: dict[str, Any]) -> None:
    follow("lending/merge.py", registry)
    pair = Pair.make()
    lend(loans, pair.source, "Laptop", 1)
    lend(loans, pair.destination, "Helmet", 2)
    before = snapshot(loans)
    merge = pair.merge()
    assert set(loans._default_manager.values_list("user_id", flat=True)) == {pair.destination.pk}
    pair.undo(merge)
    assert snapshot(loans) == before


def test_it_refuses_twins_that_no_rule_settles(loans: type[Model], registry: dict[str, Any]) -> None:
    follow("lending/merge.py", registry)
    pair = Pair.make()
    lend(loans, pair.source, "Laptop", 1)
    lend(loans, pair.destination, "Laptop", 2)
    before = snapshot(loans)
    with pytest.raises(MergeError):
        pair.merge()
    assert snapshot(loans) == before


def test_it_settles_twins_by_the_order_and_comes_back(loans: type[Model], registry: dict[str, Any]) -> None:
    follow("lending/merge.py, with twins", registry)
    pair = Pair.make()
    better, worse = lend(loans, pair.source, "Laptop", 1), lend(loans, pair.destination, "Laptop", 2)
    tied = lend(loans, pair.destination, "Helmet", 3)
    lend(loans, pair.source, "Helmet", 3)
    before = snapshot(loans)
    merge = pair.merge()
    won = loans._default_manager.filter(user=pair.destination, is_superseded=False)
    assert set(won.values_list("pk", flat=True)) == {better.pk, tied.pk}
    assert loans._default_manager.get(pk=worse.pk, is_superseded=True)
    pair.undo(merge)
    assert snapshot(loans) == before
