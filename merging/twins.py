"""Kinds of which an account counts one row per thing: which of two rows wins is said once, and decided by SQL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from dataclasses import replace
from typing import Any, ClassVar

from django.db.models import BooleanField, Count, ExpressionWrapper, OrderBy, Q, QuerySet, RowRange, Window
from django.db.models.expressions import RawSQL
from django.db.models.functions import RowNumber

from merging.handlers import Case, Change, MergeHandler, Move, Outcome, Sorted, Verdict, moves
from merging.policies import Policy

WHOLE = RowRange()  # of a partition: one window for place and size, so that one pass tells both
COLUMNS = ("pk", "user_id", "is_alive", "place", "size")


class TwinHandler(MergeHandler):
    """On a clash the better row wins, the other is kept aside.

    `things` name the thing, `live` tells rows that count, `loses` is what a losing row is set to and `keeps` what it
    held, `order` ranks the rows for one thing, best first. The destination's row wins a tie. `columns` are those that
    `cases` looks at beside COLUMNS.
    """

    things: ClassVar[tuple[str, ...]]
    live: ClassVar[Q]
    loses: ClassVar[Mapping[str, Any]]
    keeps: ClassVar[Mapping[str, Any]]
    order: ClassVar[tuple[OrderBy, ...]]
    columns: ClassVar[tuple[str, ...]] = ()
    noun: ClassVar[str] = "one"
    is_fixed: ClassVar[bool] = True  # the ranking depends on the policy, the switch and the two ids alone

    def alive(self, case: Case) -> Q:
        """The rows that take part in the contest."""
        return self.live

    def ranking(self, case: Case) -> tuple[Any, ...]:
        """What decides between two rows for one thing, the first difference."""
        return (*self.order, owner_first(case.destination.pk))

    def rows(self, case: Case) -> QuerySet[Any]:
        """The rows of both accounts."""
        return self.claims[0].model._default_manager.filter(user__in=[case.source.pk, case.destination.pk])

    def classes(self, case: Case) -> Mapping[str, Verdict]:
        """The verdicts, in playing order: the destination's losers make room first."""
        s, d = case.source.pk, case.destination.pk
        before, after = {"user_id": d, **self.keeps}, {"user_id": d, **self.loses}
        return {
            "destination_loses": Verdict(Outcome.SUPERSEDED, f"the source's {self.noun} is better", before, after),
            "moves": moves(s, d),
            "wins": moves(s, d, reason=f"better than the destination's {self.noun}"),
            "loses": Verdict(
                Outcome.SUPERSEDED,
                f"the destination's {self.noun} is at least as good",
                {"user_id": s, **self.keeps},
                {"user_id": d, **self.loses},
            ),
            "aside": moves(s, d, reason="history moves as history"),
        }

    def cases(self, case: Case) -> Iterable[tuple[str, str]]:
        """Which row gets which verdict: conditions in SQL, the first that fits. Places are those among the living."""
        source = f"user_id = {case.source.pk:d}"
        return (
            (f"{source} AND NOT is_alive", "aside"),
            (f"{source} AND size = 1", "moves"),
            (f"{source} AND place = 1", "wins"),
            (source, "loses"),
            ("is_alive AND place > 1", "destination_loses"),
        )

    def plan(self, case: Case) -> Iterator[Change | Move]:
        sql, params = self.sort(case)
        ids = f"SELECT pk, verdict FROM ({sql}) s"  # noqa: S608 - of our own words and numbers
        yield Move(Sorted(self.claims[0].model, ids, params), self.classes(case))

    def ranked(self, case: Case) -> QuerySet[Any]:
        """Each row with its place among the rows for its thing, and how many these are."""
        alive = ExpressionWrapper(self.alive(case), BooleanField())
        partition: list[Any] = [*self.things, alive]
        order = list(self.ranking(case))
        rows: QuerySet[Any] = self.rows(case).annotate(
            is_alive=alive,
            place=Window(RowNumber(), partition_by=partition, order_by=order, frame=WHOLE),
            size=Window(Count("pk"), partition_by=partition, order_by=order, frame=WHOLE),
        )
        return rows

    def sort(self, case: Case, among: str = "") -> tuple[str, tuple[Any, ...]]:
        """SQL and parameters: COLUMNS, `columns`, and the verdict of each row.

        `among`: only of rows for which this condition in SQL holds; it takes the ids of source and destination.
        """
        names = (*COLUMNS, *self.columns)
        ranked, params = self._compiled(case, among)
        whens = " ".join(f"WHEN {condition} THEN '{verdict}'" for condition, verdict in self.cases(case))
        told = f"SELECT r.*, CASE {whens} END AS verdict FROM ({ranked}) r({', '.join(names)})"  # noqa: S608
        return told, params

    def _compiled(self, case: Case, among: str) -> tuple[str, tuple[Any, ...]]:
        """The ranking as SQL. Composing it costs more than running it on few rows, so it is kept for other accounts."""
        if case.choices.courses or not self.is_fixed:
            return self._compile(case, among)
        key = (type(self), case.policy, case.merges_enrollments, among)
        if key not in _compiled:
            _compiled[key] = self._compile(_of_anybody(case), among)
        sql, params = _compiled[key]
        ids = {SOURCE: case.source.pk, DESTINATION: case.destination.pk}
        return sql, tuple(ids.get(value, value) if isinstance(value, int) else value for value in params)

    def _compile(self, case: Case, among: str) -> tuple[str, tuple[Any, ...]]:
        ranked = self.ranked(case)
        if among:
            ids = (case.source.pk, case.destination.pk)
            ranked = ranked.filter(RawSQL(among, ids, output_field=BooleanField()))  # noqa: S611 - our own words
        return ranked.order_by().values_list(*COLUMNS, *self.columns).query.sql_with_params()


SOURCE, DESTINATION = -1, -2  # stand for the ids of the two accounts; no account has them
_compiled: dict[tuple[type[TwinHandler], Policy, bool, str], tuple[str, tuple[Any, ...]]] = {}


def _of_anybody(case: Case) -> Case:
    source, destination = copy(case.source), copy(case.destination)
    source.pk, destination.pk = SOURCE, DESTINATION
    return replace(case, source=source, destination=destination)


def owner_first(account_id: int) -> OrderBy:
    """Rows of this account before the others."""
    return OrderBy(ExpressionWrapper(Q(user=account_id), BooleanField()), descending=True)
