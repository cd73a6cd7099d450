"""A migration that renames or removes what journals name says so to the journals too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, Error, register
from django.db import migrations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation

from merging.handlers import registered
from merging.operations import ForgetJournalColumn, RenameJournalColumn, RenameJournalModel

HINT = "Add {} from merging.operations to the same migration, or undo of earlier merges will be refused."


@register("merging")
def check_migrations(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Look through the migrations of all apps whose rows merges write."""
    loader = MigrationLoader(None, load=False)
    loader.load_disk()
    return list(find_lost_names(loader.disk_migrations.values()))


def find_lost_names(found: Iterable[Any]) -> Iterator[CheckMessage]:
    """One error per rename or removal of which the journals aren't told."""
    kinds = _kinds()
    for migration in found:
        told = {_told(one) for one in migration.operations}
        for operation in _flat(migration.operations):
            for needed, label, column in _needs(migration.app_label, operation):
                columns = {column, f"{column}_id"}
                if label in kinds and not any((needed.__name__, label, name) in told for name in columns):
                    where = f"{migration.app_label}.{migration.name}"
                    what = f"{label}.{column}" if column else label
                    hint = HINT.format(needed.__name__)
                    yield Error(f"{where} changes {what}, which journals of merges name.", hint=hint, id="merging.E010")


def _needs(app: str, operation: Operation) -> Iterator[tuple[type[Operation], str, str]]:
    """Which operation on journals goes with it, for which model and column, as they were called before."""
    if isinstance(operation, migrations.RenameField):
        yield RenameJournalColumn, f"{app}.{operation.model_name}".lower(), operation.old_name
    elif isinstance(operation, migrations.RemoveField):
        yield ForgetJournalColumn, f"{app}.{operation.model_name}".lower(), operation.name
    elif isinstance(operation, migrations.RenameModel):
        yield RenameJournalModel, f"{app}.{operation.new_name}".lower(), ""


def _told(operation: Operation) -> tuple[str, str, str]:
    if isinstance(operation, RenameJournalColumn):
        return type(operation).__name__, operation.model.lower(), operation.old
    if isinstance(operation, ForgetJournalColumn):
        return type(operation).__name__, operation.model.lower(), operation.column
    if isinstance(operation, RenameJournalModel):
        return type(operation).__name__, operation.new.lower(), ""
    return "", "", ""


def _flat(operations: Iterable[Operation]) -> Iterator[Operation]:
    for operation in operations:
        if isinstance(operation, migrations.SeparateDatabaseAndState):
            yield from _flat(operation.state_operations)
        else:
            yield operation


def _kinds() -> set[str]:
    """The models that journals name, as they are called now."""
    claimed = {claim.model._meta.label_lower for handler in registered() for claim in handler.claims}
    return claimed | {get_user_model()._meta.label_lower}
