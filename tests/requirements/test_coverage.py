"""No line without a proof, no proof of a line that doesn't exist."""

from collections import Counter
from pathlib import Path

from tests.requirements import coverage

LAST = {"S0": 40, "S1": 30, "S2": 30, "S3": 106, "P": 14}
RESERVED = {"P.11"}  # a number that is kept for a line to come


def test_it_lists_every_line_once() -> None:
    ids = [line.id for line in coverage.lines()]
    assert Counter(ids).most_common(1)[0][1] == 1


def test_it_numbers_the_lines_without_a_gap() -> None:
    ids = {line.id for line in coverage.lines()}
    assert ids == {f"{part}.{number}" for part, last in LAST.items() for number in range(1, last + 1)} - RESERVED


def test_it_has_a_test_for_every_line() -> None:
    proved = {proof.line for proof in coverage.proofs()}
    assert [f"{line.id} {line.text}" for line in coverage.lines() if line.id not in proved] == []


def test_it_has_a_browser_test_for_every_line_about_a_page() -> None:
    proved = {proof.line for proof in coverage.proofs() if proof.uses_a_browser}
    assert [
        f"{line.id} {line.text}" for line in coverage.lines() if line.is_about_a_page and line.id not in proved
    ] == []


def test_it_names_no_line_that_does_not_exist() -> None:
    known = {line.id for line in coverage.lines()}
    assert [f"{proof.test} names {proof.line}" for proof in coverage.proofs() if proof.line not in known] == []


def test_it_reads_markers_of_functions_classes_and_modules(tmp_path: Path) -> None:
    path = tmp_path / "test_sample.py"
    path.write_text(
        "import pytest\n"
        "pytestmark = [pytest.mark.django_db, pytest.mark.covers('S0.1')]\n"
        "@pytest.mark.covers('S0.2', 'S0.3')\n"
        "def test_it_works() -> None: ...\n"
        "@pytest.mark.covers('S0.4')\n"
        "class TestMore: ...\n"
        "@pytest.mark.parametrize('x', ['S0.5'])\n"
        "def test_it_is_not_fooled(x) -> None: ...\n"
    )
    assert {(proof.line, proof.test) for proof in coverage.proofs_in(path)} == {
        ("S0.1", "test_sample.py::pytestmark"),
        ("S0.2", "test_sample.py::test_it_works"),
        ("S0.3", "test_sample.py::test_it_works"),
        ("S0.4", "test_sample.py::TestMore"),
    }
