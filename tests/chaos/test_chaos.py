"""The short form of `make chaos`: each kind of process and server killed once under load."""

import shutil
from collections.abc import Iterator

import pytest

from tests.chaos.faults import SHORT
from tests.chaos.ledger import Ledger
from tests.chaos.portal import Portal, fresh_folder
from tests.chaos.rounds import Report, play


@pytest.fixture
def portal() -> Iterator[Portal]:
    folder = fresh_folder()
    made = Portal(folder, groups=6, pairs=100)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.covers("P.14")
@pytest.mark.timeout(900)
def test_whatever_is_killed_the_portal_comes_back_and_keeps_its_promises(portal: Portal) -> None:
    report = play(portal, SHORT, rounds=len(SHORT), seconds=600, back_within=180, seed=1)
    told = "\n".join(report.lines())

    assert report.is_good, f"{told}\n{portal.log.read_text()[-4000:]}"
    assert len(report.recoveries) == len(SHORT)
    assert report.ledger.records
    assert report.ledger.merges
    assert report.ledger.links
    assert report.ledger.imports
    assert report.equivalencies


def test_a_report_with_anything_amiss_is_not_good() -> None:
    assert Report().is_good
    for amiss in (Report(lost=["x"]), Report(doubled=["x"]), Report(broken=["x"]), Report(wrong=["x"])):
        assert not amiss.is_good
    assert not Report(ledger=Ledger(refused=["x"])).is_good
