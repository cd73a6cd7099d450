"""A plan, or a merge that was done, in words: the same sections and rows for the review, the history and REST."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import connection
from django.db.models import F, Func, IntegerField, Model

from merging.handlers import SECTIONS, Case, Change, ChoiceRow, MergeHandler, Move, Notice, Outcome, Verdict, registered
from merging.models import JournalEntry, Merge
from merging.plan import Plan, Step, as_plain, compiled

if TYPE_CHECKING:
    from accounts.models import User


@dataclass(frozen=True)
class Row:
    """One row of one section. `detail` holds plain JSON values."""

    what: str
    outcome: str
    reason: str
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Section:
    """One kind of data: all counts, and the rows from `offset` on, as many as were asked for."""

    key: str
    label: str
    counts: Mapping[str, int]
    rows: Sequence[Row]
    offset: int = 0

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def rest(self) -> int:
        """How many rows come after the listed ones."""
        return max(self.total - self.offset - len(self.rows), 0)

    def as_json(self) -> dict[str, Any]:
        rows = [{"what": r.what, "outcome": r.outcome, "reason": r.reason, "detail": r.detail} for r in self.rows]
        return {"key": self.key, "label": self.label, "counts": dict(self.counts), "rows": rows}


@dataclass(frozen=True)
class _Part(ABC):
    """Neighbouring rows of one section that are told alike: `size` of them, fetched only when listed."""

    section: str
    size: int

    @abstractmethod
    def rows(self, start: int, stop: int) -> list[Row]:
        """The rows from `start` up to `stop`."""


def sections(plan: Plan, limit: int, *, offset: int = 0, only: str = "") -> list[Section]:
    """What the merge would do, section by section. At most `limit` rows of each are loaded, from `offset` on.

    `only` names the one section whose rows are wanted; the others come with their counts alone.
    """
    parts = [part for step in plan.steps for part in _planned(step)]
    return list(_sections(parts, plan.counts(), limit, offset, only))


def history(merge: Merge, limit: int, *, offset: int = 0, only: str = "") -> list[Section]:
    """What the merge did, from its journal: the same rows in the same order as `sections` showed before."""
    entries = JournalEntry.objects.filter(merge=merge).order_by("position", "chunk").defer("ids")
    counts = {section: {outcome.value: 0 for outcome in Outcome} for section in SECTIONS}
    for section, found in merge.counts.items():
        counts.setdefault(section, {}).update(found)
    counted = entries.annotate(size=Func(F("ids"), function="cardinality", output_field=IntegerField()))
    return list(_sections(_journalled(counted.iterator(chunk_size=500)), counts, limit, offset, only))


def choice_rows(case: Case, section: str) -> list[ChoiceRow]:
    """What a person may decide in this section, row by row."""
    return [row for handler in registered() if handler.section == section for row in handler.choices(case)]


def blockers(case: Case, actor: User) -> list[Notice]:
    """What forbids this merge, whatever is chosen in it."""
    return [notice for handler in registered() for notice in handler.blockers(case, actor)]


def named(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Rows that an error names by model and id, in words."""
    told = []
    for row in rows:
        model = apps.get_model(row["model"])
        handler = _handler_of("", model)
        found = model._base_manager.filter(pk=row["id"]).first()
        what = _describe(handler, found)[0] if found else "no longer there"
        told.append(f"{str(model._meta.verbose_name).capitalize()} {row['id']}: {what}")
    return told


def _sections(
    parts: Iterable[_Part], counts: Mapping[str, Mapping[str, int]], limit: int, offset: int, only: str
) -> Iterator[Section]:
    wanted = {section: _Window(offset, limit if only in ("", section) else 0) for section in counts}
    for part in parts:
        wanted[part.section].take(part)
    for section, label in SECTIONS.items():
        yield Section(section, label, counts[section], wanted[section].rows, offset if only in ("", section) else 0)


class _Window:
    """Collects the rows that lie between two places of a section, passing over the others unfetched."""

    def __init__(self, offset: int, limit: int) -> None:
        self.skip, self.room = offset, limit
        self.rows: list[Row] = []

    def take(self, part: _Part) -> None:
        start = min(self.skip, part.size)
        stop = min(part.size, start + self.room)
        self.skip -= start
        if stop > start:
            self.rows += part.rows(start, stop)
            self.room -= stop - start


def _planned(step: Step) -> Iterator[_Part]:
    if isinstance(step.action, Change):
        yield _Single(step.section, 1, _told(step.action))
    else:
        for name, size in step.tally.items():
            yield _Class(step.section, size, _handler(step.key), step.action, name)


def _told(change: Change) -> Row:
    return Row(change.what, change.outcome.value, change.reason, as_plain(change.detail))


@dataclass(frozen=True)
class _Single(_Part):
    row: Row

    def rows(self, start: int, stop: int) -> list[Row]:
        return [self.row][start:stop]


@dataclass(frozen=True)
class _Class(_Part):
    """One class of a move, not yet played."""

    handler: MergeHandler | None
    move: Move
    name: str

    def rows(self, start: int, stop: int) -> list[Row]:
        sql, params = compiled(self.move.rows)
        statement = f"SELECT pk FROM ({sql}) q WHERE verdict = %s ORDER BY pk LIMIT %s OFFSET %s"  # noqa: S608
        with connection.cursor() as cursor:
            cursor.execute(statement, [*params, self.name, stop - start, start])
            ids = [pk for (pk,) in cursor.fetchall()]
        verdict = self.move.verdicts[self.name]
        return _described(self.handler, self.move.rows.model, ids, verdict)


def _journalled(entries: Iterable[Any]) -> Iterator[_Part]:
    for entry in entries:
        if entry.what or entry.kind == JournalEntry.Kind.ADD:
            yield _Single(entry.section, 1, Row(entry.what, entry.outcome, entry.reason, entry.detail))
        else:
            yield _Chunk(entry.section, entry.size, entry)


@dataclass(frozen=True)
class _Chunk(_Part):
    """Rows that a merge moved. They are told as they were before it, whatever they hold now."""

    entry: JournalEntry

    def rows(self, start: int, stop: int) -> list[Row]:
        entry = self.entry
        try:
            model = apps.get_model(entry.model)
        except LookupError:  # an upgrade removed it
            row = Row(f"{entry.model}, which the portal doesn't have any more", entry.outcome, entry.reason)
            return [row] * (stop - start)
        verdict = Verdict(Outcome(entry.outcome), entry.reason, entry.before or {}, entry.after or {})
        part = f"ids__{start}_{stop}"
        ids = JournalEntry.objects.filter(pk=entry.pk).values_list(part, flat=True).get()
        return _described(_handler_of(entry.section, model), model, ids, verdict)


def _described(handler: MergeHandler | None, model: type[Model], ids: Sequence[int], verdict: Verdict) -> list[Row]:
    related = handler.related if handler and any(claim.model is model for claim in handler.claims) else ()
    found = model._base_manager.select_related(*related).in_bulk(ids)
    rows = []
    for pk in ids:
        what, detail = _describe(handler, _as_before(found[pk], verdict)) if pk in found else _gone(model, pk)
        rows.append(Row(what, verdict.outcome.value, verdict.reason, as_plain(detail)))
    return rows


def _as_before(row: Model, verdict: Verdict) -> Model:
    for attname, value in verdict.before.items():
        with suppress(FieldDoesNotExist, ValidationError):  # an upgrade removed or changed the column
            column: Any = row._meta.get_field(attname)
            setattr(row, attname, column.to_python(value))
    return row


def _describe(handler: MergeHandler | None, row: Model) -> tuple[str, Mapping[str, Any]]:
    return handler.describe(row) if handler else (str(row), {})


def _gone(model: type[Model], pk: int) -> tuple[str, Mapping[str, Any]]:
    return f"{model._meta.verbose_name} {pk}, no longer there", {}


def _handler(key: str) -> MergeHandler | None:
    return next((handler for handler in registered() if handler.key == key), None)


def _handler_of(section: str, model: type[Model]) -> MergeHandler | None:
    """The handler that answers for the model, best in the section that the journal names."""
    owners = [handler for handler in registered() if any(claim.model is model for claim in handler.claims)]
    return next((handler for handler in owners if handler.section == section), owners[0] if owners else None)
