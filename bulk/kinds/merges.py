"""Merges: one pair of accounts a row, checked as a graph before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.conf import settings

from accounts.errors import AmbiguousIdentifier
from accounts.models import User
from bulk.kinds.base import refuse_repeats, resolve
from bulk.models import Import, ImportRow
from merging import services
from merging.errors import MergeError, MergeIsBusy

Verdict = ImportRow.Verdict


class MergesKind:
    """`source` and `destination` by id or identifier; `policy` blank: the site's own."""

    summary = "Merge many pairs of accounts. Each row is tried out first, and nothing runs before you confirm."

    def columns(self) -> list[str]:
        return ["source", "destination", "policy", "reason"]

    def required(self) -> list[str]:
        return ["source", "destination"]

    def judge(self, rows: Sequence[ImportRow], actor: User) -> None:
        for row in rows:
            _judge_one(row, actor)

    def settle(self, file: Import) -> None:
        """No source twice; no account merged away that another row merges into, circles included."""
        refuse_repeats(file, "target", "source", "This source stands in line %s already. Keep one of the two rows.")
        rows = list(file.rows.exclude(verdict=Verdict.REFUSED).only("id", "line", "target", "differences"))
        sources = {row.target: row for row in rows}
        chained = []
        for row in rows:
            onward = sources.get(row.differences["destination"])
            if onward is not None:
                row.refuse("destination", _chain_words(row, onward))
                chained.append(row)
        ImportRow.objects.bulk_update(chained, ["verdict", "column", "reason"], batch_size=1000)

    def run(self, rows: Sequence[ImportRow], actor: User, origin: str) -> None:
        for row in rows:
            _run_one(row, actor, origin)

    def listing(self, actor: User) -> Iterator[Iterable[object]]:
        return iter(())


def _chain_words(row: ImportRow, onward: ImportRow) -> str:
    if onward.differences["destination"] == row.target:
        return f"Line {onward.line} merges the other way round. Keep one of the two rows."
    return f"Line {onward.line} merges this destination away. Name the account that is kept in the end."


def _judge_one(row: ImportRow, actor: User) -> None:
    pair = {}
    for side in ("source", "destination"):
        try:
            account = _account(row, side, actor)
        except AmbiguousIdentifier as error:
            row.refuse(side, error.detail)
            return
        if account is None:
            row.refuse(side, "No account is found by this. Give the id, username or e-mail of an account.")
            return
        pair[side] = account
    row.target = pair["source"].pk
    question = _question(row, pair["destination"].pk)
    try:
        plan = services.preview(actor=actor, **question)
    except MergeError as error:
        row.refuse("policy", error.detail)
        return
    if plan.blockers:
        row.refuse("", plan.blockers[0].detail)
        return
    row.verdict = Verdict.CHANGED
    row.reason = " ".join(warning.detail for warning in plan.warnings)[:500]
    row.differences = {**question, "destination": pair["destination"].pk, "digest": plan.digest, "rows": plan.size}


def _account(row: ImportRow, side: str, actor: User) -> User | None:
    """A source is the account that is named itself; a destination may be named by what now finds its survivor."""
    text = row.cells.get(side, "")
    if side == "source":
        users = User.objects.present().visible_to(actor)
        if text.isascii() and text.isdigit() and len(text) < 19 and (found := users.filter(pk=int(text)).first()):
            return found  # type: ignore[no-any-return]
        if found := users.by_username(text).first() or users.by_email(text).first():
            return found  # type: ignore[no-any-return]
    return resolve(actor, text)


def _question(row: ImportRow, destination_id: int) -> dict[str, Any]:
    policy = row.cells.get("policy") or settings.MERGE_DEFAULT_POLICY
    return {"source_id": row.target, "destination_id": destination_id, "policy": policy}


def _run_one(row: ImportRow, actor: User, origin: str) -> None:
    try:
        merge = services.request_merge(
            actor=actor,
            **_question(row, row.differences["destination"]),
            digest=row.differences["digest"],
            reason=row.cells.get("reason", ""),
            origin=origin,
        )
    except MergeIsBusy:
        raise  # the row is put off
    except MergeError as error:
        row.refuse("", error.detail)
        row.outcome = Verdict.REFUSED
        return
    row.outcome = Verdict.CHANGED
    row.differences["merge"] = merge.pk
