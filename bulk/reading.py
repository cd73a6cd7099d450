"""CSV in and out: encodings, delimiters, headers, and cells that a spreadsheet would take for formulas."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

from django.conf import settings

from bulk.errors import ImportRefused

BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
# Bounded, since it is looked for at every sign of a cell: a cell of signs alone must not take minutes.
NUMBER = r"[\d\s().,/+-]{0,60}(?:$|[;|\t\r\n])"
# The full-width signs too: some spreadsheets take them for the plain ones.
SIGN = rf"(?:[=@\uff1d\uff0b\uff0d\uff20]|[+-](?!{NUMBER}))"
FORMULA = re.compile(rf"[\t\r]|{SIGN}")
# Where a spreadsheet may see a cell begin, also one that splits lines elsewhere than we do, and the apostrophes there.
CELL_STARTS = re.compile(rf"(\A|[,;|\t\r\n])((?:[^\S\t\r\n]|[\"\ufeff\u200b])*)('*)(?={SIGN})")
BLANK_START = re.compile(r"\A('*)(?=[\t\r\n])")
LONGEST_CELL = 1000
LONGEST_ROW = 256 * 1024  # characters
MOST_COLUMNS = 500


def read(file: BinaryIO, known: Sequence[str]) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """The header, and the rows with their line numbers, as a stream. Raises ImportRefused, also while streaming.

    `known` are the columns that the header may name. Blank lines are passed over.
    """
    lines = _Lines(io.TextIOWrapper(file, encoding=_encoding(file), newline=""))
    try:
        reader = csv.reader(lines, delimiter=_delimiter(lines.first()), strict=True)
        header = _header(next(reader, []), known)
    except (UnicodeError, csv.Error) as error:
        raise _unreadable(error, 1) from error
    return header, _rows(reader, lines)


class _Lines:
    """The lines of a file, as an iterator that refuses a row of endless length, on one line or on many."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self._taken = 0  # characters of the row that is being read
        self._number = 0

    def first(self) -> str:
        """The first line, which is read again afterwards."""
        line = self._text.readline(LONGEST_ROW)
        self._text.seek(0)
        return line

    def release(self) -> None:
        """Leave the file open for another reading."""
        if not self._text.closed:
            self._text.detach()

    def new_row(self) -> None:
        self._taken = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        self._number += 1
        line = self._text.readline(LONGEST_ROW + 1 - self._taken)
        self._taken += len(line)
        if self._taken > LONGEST_ROW:
            raise ImportRefused(
                f"The row in line {self._number} is longer than {LONGEST_ROW:,} characters. Check its line breaks and "
                "quotation marks.",
                "row_too_long",
            )
        if not line:
            raise StopIteration
        return line


def is_formula(cell: str) -> bool:
    """Whether a spreadsheet might run it. Signed numbers and telephone numbers are none."""
    return FORMULA.match(cell) is not None


def write(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Lines of a CSV file in UTF-8 with a byte-order mark, which every spreadsheet reads; formulas are disarmed."""
    yield "\ufeff" + _line(header)
    for row in rows:
        yield _line([_harmless("" if cell is None else str(cell)) for cell in row])


def plain(cell: str) -> str:
    """A cell as it was before `write` disarmed it."""
    cell = BLANK_START.sub(lambda start: start[1][1:], cell.strip(" "))
    return CELL_STARTS.sub(lambda start: start[1] + start[2] + start[3][1:], cell)


def _harmless(cell: str) -> str:
    """Puts an apostrophe before every sign that could begin a formula: `plain` takes exactly one away there.

    After other delimiters too: a spreadsheet that splits at semicolons takes what follows one for a cell.
    """
    cell = CELL_STARTS.sub(lambda start: f"{start[1]}{start[2]}'{start[3]}", cell)
    return BLANK_START.sub(lambda start: f"'{start[1]}", cell)


def _line(cells: Sequence[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()


def _encoding(file: BinaryIO) -> str:
    start = file.read(4)
    file.seek(0)
    return next((name for bom, name in BOMS if start.startswith(bom)), "utf-8")


def _delimiter(line: str) -> str:
    return max(",;\t", key=line.count)


def _header(cells: list[str], known: Sequence[str]) -> list[str]:
    names = [cell.strip().lower() for cell in cells]
    if not any(names):
        raise ImportRefused("Line 1 is empty. It must name the columns; the template shows them.", "no_header")
    if len(names) > MOST_COLUMNS:
        raise ImportRefused(
            f"Line 1 names {len(names):,} columns; {MOST_COLUMNS} are allowed. Possible are {', '.join(known)}.",
            "too_many_columns",
        )
    twice = sorted(name for name, times in Counter(names).items() if times > 1)
    if twice:
        raise ImportRefused(f"Line 1 names a column twice: {', '.join(twice)[:200]}. Remove one.", "duplicate_header")
    unknown = [name for name in names if name not in known]
    if unknown:
        listed = ", ".join(name or "(blank)" for name in unknown)[:200]
        raise ImportRefused(
            f"Line 1 names columns that don't exist: {listed}. Possible are {', '.join(known)}.", "unknown_header"
        )
    return names


def _rows(reader: Iterator[list[str]], lines: _Lines) -> Iterator[tuple[int, list[str]]]:
    try:
        yield from _rows_until_the_end(reader, lines)
    finally:
        lines.release()


def _rows_until_the_end(reader: Iterator[list[str]], lines: _Lines) -> Iterator[tuple[int, list[str]]]:
    line = 1
    while True:
        lines.new_row()
        line = getattr(reader, "line_num", line) + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (UnicodeError, csv.Error) as error:
            raise _unreadable(error, line) from error
        if any(cell.strip() for cell in cells):
            yield line, cells


def _unreadable(error: Exception, line: int) -> ImportRefused:
    if isinstance(error, UnicodeError):
        return ImportRefused(
            "The file is neither UTF-8 nor UTF-16. Save it as “CSV UTF-8” and upload it again.", "wrong_encoding"
        )
    if "field larger" in str(error):
        return ImportRefused(f"A cell in line {line} is far too long.", "cell_too_long")
    return ImportRefused(
        f"Line {line} can't be read: a quotation mark isn't closed or stands in the middle of a cell, or the line "
        "holds a character that no text has.",
        "broken_csv",
    )


def check_size(size: int) -> None:
    """Refuse a file that is larger than the setting allows."""
    if size > settings.IMPORT_MAX_BYTES:
        raise too_large()


def too_large() -> ImportRefused:
    """For a file of more bytes than allowed."""
    megabytes = settings.IMPORT_MAX_BYTES // 2**20
    return ImportRefused(f"The file is larger than {megabytes} MB. Split it into several files.", "too_large")
