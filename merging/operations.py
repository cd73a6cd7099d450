"""Operations for migrations that rename or remove a column or a model of which merges have journals.

An undo reads names of models and columns from the journal. A migration that changes one says so to the journals too:

    operations = [
        migrations.RenameField("loan", "item", "thing"),
        RenameJournalColumn("lending.Loan", "item", "thing"),
    ]

Columns are named as in the database: `user_id`, not `user`. On a database without journals nothing happens.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.migrations.operations.base import Operation

TABLE = "merging_journalentry"
RENAME_COLUMN = """
    UPDATE merging_journalentry SET
        before = CASE WHEN before ? %(old)s::text THEN before - %(old)s::text || jsonb_build_object(%(new)s::text, before -> %(old)s::text)
                 ELSE before END,
        after = CASE WHEN after ? %(old)s::text THEN after - %(old)s::text || jsonb_build_object(%(new)s::text, after -> %(old)s::text)
                ELSE after END
    WHERE model = %(model)s::text AND (before ? %(old)s::text OR after ? %(old)s::text)
"""
FORGET_COLUMN = """
    UPDATE merging_journalentry SET before = before - %(old)s::text, after = after - %(old)s::text
    WHERE model = %(model)s::text AND (before ? %(old)s::text OR after ? %(old)s::text)
"""
RENAME_MODEL = "UPDATE merging_journalentry SET model = %(new)s WHERE model = %(old)s"


class _OnJournals(Operation):
    """Changes rows of the journal, and nothing of the models."""

    reduces_to_sql = False
    reversible = True
    forwards: ClassVar[str]

    def state_forwards(self, app_label: str, state: Any) -> None:
        """No model changes."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        self._run(schema_editor, self.names())

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        names = self.names()
        self._run(schema_editor, names | {"old": names["new"], "new": names["old"]})

    def names(self) -> dict[str, str]:
        raise NotImplementedError

    def _run(self, schema_editor: Any, names: dict[str, str]) -> None:
        with schema_editor.connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass(%s)", [TABLE])
            if cursor.fetchone()[0] is not None:  # else merging's own migrations come later: there are no journals
                cursor.execute(self.forwards, names)


class RenameJournalColumn(_OnJournals):
    """Beside a RenameField: journals name the column as it is called from now on."""

    forwards = RENAME_COLUMN

    def __init__(self, model: str, old: str, new: str) -> None:
        self.model, self.old, self.new = model, old, new

    def names(self) -> dict[str, str]:
        return {"model": self.model, "old": self.old, "new": self.new}

    def describe(self) -> str:
        return f"Rename {self.old} to {self.new} in the journals of {self.model}"


class ForgetJournalColumn(_OnJournals):
    """Beside a RemoveField: an undo brings everything back but this column. Its values don't come back either."""

    forwards = FORGET_COLUMN

    def __init__(self, model: str, column: str) -> None:
        self.model, self.column = model, column

    def names(self) -> dict[str, str]:
        return {"model": self.model, "old": self.column}

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """What was forgotten stays so."""

    def describe(self) -> str:
        return f"Forget {self.column} in the journals of {self.model}"


class RenameJournalModel(_OnJournals):
    """Beside a RenameModel: journals name the model as it is called from now on."""

    forwards = RENAME_MODEL

    def __init__(self, old: str, new: str) -> None:
        self.old, self.new = old, new

    def names(self) -> dict[str, str]:
        return {"old": self.old, "new": self.new}

    def describe(self) -> str:
        return f"Rename {self.old} to {self.new} in journals"
