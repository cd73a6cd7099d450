"""Rounds of faults under load, and what came of them."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tests.chaos import checks
from tests.chaos.faults import Fault
from tests.chaos.ledger import Ledger
from tests.chaos.load import Load
from tests.chaos.portal import NotBack, Portal, until

CALM = (0.5, 3.0)  # seconds of undisturbed load before each fault, at least and at most


@dataclass
class Report:
    """What a person, or a test, wants to know at the end."""

    recoveries: list[tuple[str, float]] = field(default_factory=list)
    ledger: Ledger = field(default_factory=Ledger)
    equivalencies: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Nothing lost, doubled, broken, and always back in time."""
        return not (self.lost or self.doubled or self.broken or self.wrong or self.ledger.refused)

    def lines(self) -> Iterator[str]:
        """As a table."""
        yield f"{'fault':<24}{'rounds':>8}{'back: median':>14}{'max':>9}"
        for name in sorted({name for name, _ in self.recoveries}):
            yield self._row(name, [seconds for kind, seconds in self.recoveries if kind == name])
        if self.recoveries:
            yield self._row("all", [seconds for _, seconds in self.recoveries])
        book = self.ledger
        yield ""
        yield f"accepted      {book.accepted}: {len(book.records)} records, {len(book.merges)} merges,"
        yield f"              {len(book.undone)} undos, {len(book.links)} links,"
        yield f"              {len(book.imports)} CSV files; {self.equivalencies} equivalencies issued"
        yield f"sent again    {book.repeats}; replies by status {dict(sorted(book.answers.items()))}"
        for name, found in (("lost", self.lost), ("doubled", self.doubled), ("laws broken", self.broken)):
            yield f"{name:<14}{len(found)}"
            yield from (f"  {each}" for each in found[:20])
        yield from (f"refused       {each}" for each in book.refused[:20])
        yield from (f"wrong         {each}" for each in self.wrong)

    def _row(self, name: str, seconds: list[float]) -> str:
        return f"{name:<24}{len(seconds):>8}{statistics.median(seconds):>12.1f} s{max(seconds):>7.1f} s"


def play(
    portal: Portal, faults: Sequence[Fault], *, rounds: int, seconds: float, back_within: float, seed: int
) -> Report:
    """Each round one fault, every kind once before any comes again; ends early when `seconds` are over.

    The portal runs. Raises nothing for what goes wrong with it: the report says it.
    """
    report, chance = Report(), random.Random(seed)
    load = Load(portal, portal.cast(), report.ledger, seed=seed)
    load.start()
    try:
        _rounds(portal, _order(faults, rounds, chance), report, chance, time.monotonic() + seconds, back_within)
    except NotBack as problem:
        report.wrong.append(str(problem))
    if not load.stop(back_within):
        report.wrong.append(f"Some requests got no clear reply within {back_within:g} s.")
    _settle(portal, report, back_within)
    return report


def _order(faults: Sequence[Fault], rounds: int, chance: random.Random) -> list[Fault]:
    order: list[Fault] = []
    while len(order) < rounds:
        order += chance.sample(faults, len(faults))
    return order[:rounds]


def _rounds(
    portal: Portal, order: list[Fault], report: Report, chance: random.Random, ends: float, back_within: float
) -> None:
    for number, fault in enumerate(order, 1):
        if time.monotonic() > ends:
            return
        time.sleep(chance.uniform(*CALM))
        begun = time.monotonic()
        fault(portal, chance)
        time.sleep(0.3)  # until the launcher has seen it
        portal.wait_until_ready(back_within)
        report.recoveries.append((fault.__name__.replace("_", " "), time.monotonic() - begun - 1.0))
        print(f"{number:>4} {report.recoveries[-1][0]:<24}{report.recoveries[-1][1]:6.1f} s", flush=True)


def _settle(portal: Portal, report: Report, back_within: float) -> None:
    """The work that is owed gets its time; then the ledger is compared."""
    if not until(lambda: checks.open_work(portal) == 0, back_within):
        report.wrong.append(f"Work was still queued after {back_within:g} s.")
    report.lost = list(checks.lost(portal, report.ledger))
    report.doubled = list(checks.doubled(portal, report.ledger))
    report.broken = checks.broken_laws(portal)
    [[report.equivalencies]] = portal.query(
        "SELECT count(*) FROM learning_records_learningrecord WHERE origin = 'equivalency'"
    )
