"""CSV files as people's programs write them."""

import csv
import io
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulk import reading
from bulk.errors import ImportRefused
from bulk.reading import is_formula, plain, read, write

KNOWN = ("username", "email", "phone")
TEXT = "username,email\njané,jane@example.org\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-bom"])
def test_it_reads_unicode(encoding: str) -> None:
    data = b"\xff\xfe" + TEXT.encode("utf-16-le") if encoding.endswith("bom") else TEXT.encode(encoding)
    header, rows = read(io.BytesIO(data), KNOWN)
    assert (header, list(rows)) == (["username", "email"], [(2, ["jané", "jane@example.org"])])


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_it_finds_the_delimiter(delimiter: str) -> None:
    _, rows = read(io.BytesIO(f"username{delimiter}email\na{delimiter}b\n".encode()), KNOWN)
    assert list(rows) == [(2, ["a", "b"])]


def test_it_counts_lines_as_editors_do() -> None:
    _, rows = read(io.BytesIO(b'username,email\n\n"two\nlines",x\nlast,y\n'), KNOWN)
    assert [line for line, _ in rows] == [3, 5]


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (b"username,email\njan\xe9,x\n", "wrong_encoding", "CSV UTF-8"),
        (b"", "no_header", "Line 1"),
        (b"username,Username\n", "duplicate_header", "username"),
        (b"username,shoe size\n", "unknown_header", "shoe size"),
        (b'username,email\n"open,x\n', "broken_csv", "Line 2"),
        (b'username,email\na,b\nc"d"e,"f"g\n', "broken_csv", "Line 3"),
        (b"username,email\n" + b"x" * 200_000 + b",y\n", "cell_too_long", "line 2"),
        (b"," * 100_000 + b"\n", "no_header", "Line 1"),
        (b"a," * 100_000 + b"\n", "too_many_columns", "500 are allowed"),
        (b"a" * 300_000 + b"\n", "row_too_long", "line 1"),
        (b"username,email\n" + b"," * 300_000, "row_too_long", "line 2"),
        (b"username,email\n" + b'"\n",' * 100_000, "row_too_long", "The row in line"),
    ],
)
def test_it_says_what_is_wrong_with_a_file(data: bytes, code: str, words: str) -> None:
    with pytest.raises(ImportRefused, match=words) as refusal:
        list(read(io.BytesIO(data), KNOWN)[1])
    assert refusal.value.code == code


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        "@SUM(A1)",
        "+cmd|' /C calc'!A0",
        "-2+3+cmd|x",
        "\tx",
        "\rx",
        "\uff1d1+1",
        "\uff0b1",
        "\uff0d1",
        "\uff20SUM(A1)",
    ],
)
def test_it_knows_formulas(cell: str) -> None:
    assert is_formula(cell)
    exported = "".join(write(["phone"], [[cell]]))
    assert f"'{cell}"[:2] in exported


@pytest.mark.parametrize("cell", ["+49 40 123-45", "-12.5", "a=b", "", "'tis"])
def test_it_leaves_numbers_and_text_alone(cell: str) -> None:
    assert not is_formula(cell)
    assert plain(cell) == cell


def test_it_reads_back_what_it_wrote() -> None:
    exported = "".join(write(["username", "phone"], [["=odd", "+49 1"]])).encode()
    _, rows = read(io.BytesIO(exported), KNOWN)
    assert [[plain(cell) for cell in cells] for _, cells in rows] == [["=odd", "+49 1"]]


SPLITS = [",", ";", "\t", "|"]
SIGNS = "=@\uff1d\uff0b\uff0d\uff20"


def spreadsheet_cells(text: str, delimiter: str) -> list[str]:
    """The cells as a spreadsheet may see them that splits at its own delimiter and forgives broken quotes."""
    lines = text.replace("\r", "\n").split("\n")
    return [
        cell for line in lines for cell in [*next(csv.reader([line], delimiter=delimiter), []), *line.split(delimiter)]
    ]


@pytest.mark.parametrize("delimiter", SPLITS)
@pytest.mark.parametrize(
    "cell",
    [
        "a;=1+1",
        "a\t=1+1",
        "a|@x",
        "a,=1+1",
        "a\n=1+1",
        'a;"=1+1"',
        "a; =cmd|x",
        "a;\uff1d1",
        "x;+cmd",
        "a;\t=1",
        "a;-1+cmd|x",
    ],
)
def test_no_other_delimiter_makes_a_formula(cell: str, delimiter: str) -> None:
    exported = "".join(write(["username", "phone"], [["x", cell]]))
    for seen in spreadsheet_cells(exported, delimiter):
        assert seen.strip('"\ufeff ')[:1] not in SIGNS or not seen.strip('"\ufeff '), (seen, exported)
        assert not is_formula(seen.strip('"\t ')), (seen, exported)


PIECES = st.text(alphabet=";,|\t\r\n\"' =+-@\uff1d\uff0b\uff0d\uff200a.\ufeff\u200b\xa0", max_size=12)


@given(st.lists(PIECES, min_size=1, max_size=3))
@settings(max_examples=2000, deadline=None)
def test_every_cell_comes_back_as_it_was(cells: list[str]) -> None:
    names = [f"c{number}" for number in range(len(cells))]
    cells = [cell.strip(" ") for cell in cells]  # what no import keeps
    exported = "".join(write(names, [[*cells, "end"]])).encode()
    rows = list(csv.reader(io.StringIO(exported.decode("utf-8-sig"), newline="")))[1:]
    assert [[plain(cell) for cell in row] for row in rows] == [[*cells, "end"]]


@given(PIECES)
@settings(max_examples=2000, deadline=None)
def test_no_export_begins_a_formula_anywhere(cell: str) -> None:
    exported = "".join(write(["username", "phone"], [["x", cell]]))
    for delimiter in SPLITS:
        for seen in exported.replace("\r", "\n").replace("\n", delimiter).split(delimiter):
            assert seen.strip('"\ufeff\u200b \xa0')[:1] not in ("", *SIGNS) or not seen.strip('"\ufeff\u200b \xa0')


def test_it_reads_a_header_of_many_columns_in_linear_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_COLUMNS", 10**9)
    with pytest.raises(ImportRefused, match="twice: a, b"):
        read(io.BytesIO(b"a,b," * 32_000 + b"\n"), KNOWN)


def test_it_keeps_no_line_without_end_in_memory() -> None:
    class Endless(io.RawIOBase):
        given = 0

        def readable(self) -> bool:
            return True

        def seekable(self) -> bool:
            return True

        def seek(self, *args: int) -> int:
            return 0

        def tell(self) -> int:
            return 0

        def read(self, size: int = -1) -> bytes:
            self.given += size
            return b"a," * (size // 2)

        def read1(self, size: int = -1) -> bytes:
            return self.read(size)

    file = Endless()
    with pytest.raises(ImportRefused) as refusal:
        read(file, KNOWN)  # type: ignore[arg-type]
    assert refusal.value.code == "row_too_long"
    assert file.given < 10 * reading.LONGEST_ROW


@pytest.mark.parametrize("text", ["+,", "-1,", "++", "'", ";=", "+ ", ',"'])
def test_a_cell_of_signs_is_read_in_linear_time(text: str) -> None:
    """Counted as processor time of this process: with a quadratic expression the longest took minutes."""
    before = process_time()
    reading.plain(text * (reading.LONGEST_ROW // len(text)))
    assert process_time() - before < 20
