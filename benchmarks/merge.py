"""A merge with its journal, its undo and its preview, against hand-written SQL and a loop over objects.

python -m benchmarks.merge [rows …]
"""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

from benchmarks.setting import database, middle, seconds, settle, statements, table

SIZES = {1_000: 15, 10_000: 7, 100_000: 3}
LOOP_LIMIT = 10_000


def run(sizes: dict[int, int] | None = None) -> None:
    """Print the figures of every size."""
    from django.conf import settings

    settings.MERGE_INLINE_LIMIT = 10_000_000
    figures = [measure(rows, times) for rows, times in (sizes or SIZES).items()]
    head = [
        "rows",
        "by hand",
        "merge",
        "undo",
        "preview",
        "merge / by hand",
        "undo / merge",
        "preview / merge",
        "loop / by hand",
        "merge_model_instances / by hand",
    ]
    table("Merge: times and ratios (medians)", head, [_row(f) for f in figures])
    head = ["rows", "statements of a merge", "tables", "journal bytes per moved row"]
    table("Merge: statements and journal", head, [_costs(f) for f in figures])


def measure(rows: int, times: int) -> dict[str, Any]:
    """Each way on fresh accounts, in turns, so that all meet the same tables."""
    from accounts.models import User
    from benchmarks import pairs, peers

    actor = User.objects.create_superuser(f"actor{rows}")
    keys = ("by hand", "merge", "undo", "preview", "loop", "apart", "extension")
    found: dict[str, Any] = {"rows": rows, **{key: [] for key in keys}}
    for _ in range(times):
        ours, theirs = pairs.make(rows), pairs.make(rows)
        _settle(actor)
        found["by hand"].append(seconds(partial(peers.by_hand, theirs)))
        _once(actor, ours, found)
    if rows <= LOOP_LIMIT:
        accounts = pairs.make(rows)
        settle()
        found["loop"].append(seconds(lambda: peers.by_loop(accounts)))
        apart = [pairs.make(rows, shared=0), pairs.make(rows, shared=0)]
        peers.stand_apart(apart[1])
        settle()
        found["apart"].append(seconds(lambda: peers.by_hand(apart[0])))
        found["extension"].append(seconds(lambda: peers.by_extension(apart[1])))
    counted = pairs.make(rows)
    found["statements"] = statements(lambda: _merge(actor, counted))
    return found


def _settle(actor: Any) -> None:
    """Settle, and let Python and PostgreSQL, which forgets what it knew of tables that were analysed, see each way once."""
    from benchmarks import pairs, peers

    small, other = pairs.make(100), pairs.make(100)
    settle()
    peers.by_hand(other)
    _preview(actor, small)
    _undo(actor, _merge(actor, small))


def _once(actor: Any, accounts: Any, found: dict[str, Any]) -> None:
    done: list[Any] = []
    found["preview"].append(seconds(lambda: _preview(actor, accounts)))
    found["merge"].append(seconds(lambda: done.append(_merge(actor, accounts))))
    found["journal"] = _journal_bytes(done[0].pk)
    _settle(actor)
    found["undo"].append(seconds(lambda: _undo(actor, done[0])))


def _preview(actor: Any, accounts: Any) -> None:
    """What the person sees before confirming, warnings and all."""
    from merging import services

    question = {"source_id": accounts.source, "destination_id": accounts.destination, "policy": "best_record"}
    list(services.preview(actor=actor, **question).warnings)


def _undo(actor: Any, merge: Any) -> None:
    from merging import services

    services.undo_merge(actor=actor, merge_id=merge.pk, reason="")


def _merge(actor: Any, accounts: Any) -> Any:
    from merging import services

    return services.request_merge(
        actor=actor, source_id=accounts.source, destination_id=accounts.destination, policy="best_record"
    )


def _journal_bytes(merge_id: int) -> float:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT sum(pg_column_size(j.*))::float / sum(cardinality(ids)) FROM merging_journalentry j
               WHERE merge_id = %s AND kind <> 'stay'""",
            [merge_id],
        )
        return float(cursor.fetchone()[0])


def _row(figures: dict[str, Any]) -> list[str]:
    by_hand, merge, undo, preview = (middle(figures[key]) for key in ("by hand", "merge", "undo", "preview"))
    loop = f"{middle(figures['loop']) / by_hand:.1f}" if figures["loop"] else "-"
    extension = f"{middle(figures['extension']) / middle(figures['apart']):.1f}" if figures["apart"] else "-"
    times = [f"{value * 1000:,.0f} ms" for value in (by_hand, merge, undo, preview)]
    ratios = [f"{merge / by_hand:.2f}", f"{undo / merge:.2f}", f"{preview / merge:.2f}"]
    return [f"{figures['rows']:,}", *times, *ratios, loop, extension]


def _costs(figures: dict[str, Any]) -> list[str]:
    from benchmarks.pairs import SHARES
    from merging.handlers import registered

    tables = {claim.model for handler in registered() for claim in handler.claims}
    told = f"{len(SHARES)} with rows, {len(tables)} in all"
    return [f"{figures['rows']:,}", str(figures["statements"]), told, f"{figures['journal']:.1f}"]


if __name__ == "__main__":
    with database():
        run({int(rows): SIZES.get(int(rows), 3) for rows in sys.argv[1:]})
