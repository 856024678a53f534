"""The form that is one Excel workbook: every item a sheet, with a frozen header, filters, and columns of their types.

Texts stay texts, whatever they look like: ``000062``, ``1234567E10`` and ``=1+1`` are neither numbers nor formulas.
Times are Excel's dates, in UTC. Rows go to the disk as they come, so that a workbook of any size costs the memory of
one row. What a sheet cannot hold is refused or told: see :data:`ROWS` and :data:`CELL`.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

from kandji_queries.export import folder, watch
from kandji_queries.export.report import StoredItem
from kandji_queries.export.source import ExportItem, OpenSource
from kandji_queries.results.values import ResultColumn, text
from kandji_schema.errors import ConfigurationError, UsageError
from kandji_schema.installation import how_to_add

FILE = "kandji-mirror.xlsx"

ROWS = 1_048_576
"""Rows of a sheet, the header included: Excel's own limit. More are refused."""

CELL = 32_767
"""Characters of a cell, as UTF-16 counts them: Excel's own limit. Of a longer text the rest is left out, and told."""

_EXACT = 10**15
"""Excel's numbers are doubles of 15 digits; a larger whole number is a text, so that none of it is lost."""

_FIRST_MONTH = (1900, 3)
"""Before it Excel's calendar is wrong by a day, and before 1900 it has none: such dates are texts."""

_NAME = 31
_IN_NO_NAME = str.maketrans("[]:*?/\\'", "_" * 8)
_IN_NO_FILE = {0xFFFE: "\ufffd", 0xFFFF: "\ufffd"}
_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
}
_FORMATS = {datetime: "yyyy-mm-dd hh:mm:ss", date: "yyyy-mm-dd"}
_WIDTHS = {"TIMESTAMP": 19, "VARCHAR": 24}


def refuse_without_writer() -> None:
    """:class:`ConfigurationError` names the extra that has the writer, where it is not installed."""
    try:
        import xlsxwriter  # noqa: F401  # only looked for
    except ImportError as error:
        raise ConfigurationError(
            f"--format xlsx needs the extra `xlsx`, which is not installed here: {how_to_add('xlsx')}. The other "
            "formats need nothing."
        ) from error


def sheet_names(names: Sequence[str]) -> Mapping[str, str]:
    """Return each name's sheet: of at most 31 characters, unlike any other, and not Excel's own History."""
    found: dict[str, str] = {}
    for name in names:
        plain = name.translate(_IN_NO_NAME)[:_NAME]
        others = {sheet.casefold() for sheet in found.values()} | {"history"}
        numbered = (f"{plain[: _NAME - 1 - len(str(n))]}_{n}" for n in count(2))
        found[name] = plain if plain.casefold() not in others else next(n for n in numbered if n not in others)
    return found


def write(
    opened: OpenSource, columns: Mapping[str, Sequence[ResultColumn]], whole: Path, progress: watch.Progress
) -> dict[str, StoredItem]:
    """Write all items to one new file in the folder ``whole``; return what became of each by name.

    :class:`UsageError` where one has more rows than a sheet.
    """
    from xlsxwriter import Workbook  # only with the extra
    from xlsxwriter.exceptions import XlsxWriterException

    path = whole / FILE
    book = Workbook(str(path), {**_OPTIONS, "tmpdir": str(whole.parent)})
    try:
        sheets = sheet_names([item.name for item in opened.items])
        found = {
            item.name: _Sheet(book, sheets[item.name], columns[item.name]).filled(opened, item, progress)
            for item in opened.items
        }
        book.close()
    except BaseException as error:
        with suppress(Exception):
            book.close()  # it has temporary files open
        if isinstance(error, XlsxWriterException):
            raise OSError(str(error)) from error
        raise
    file = folder.measured(path, whole)
    return {name: StoredItem(sheet.rows, (file,), tuple(sheet.notes(name))) for name, sheet in found.items()}


class _Sheet:
    """One sheet while it is written, row by row."""

    def __init__(self, book: Any, name: str, columns: Sequence[ResultColumn]) -> None:
        self._sheet = book.add_worksheet(name)
        self._columns = columns
        self._formats = {kind: book.add_format({"num_format": shape}) for kind, shape in _FORMATS.items()}
        self.rows = 0
        self._cut = 0
        bold = book.add_format({"bold": True})
        self._sheet.freeze_panes(1, 0)
        for place, column in enumerate(columns):
            self._sheet.set_column(place, place, max(len(column.name) + 3, _WIDTHS.get(column.type, 0)))
            self._sheet.write_string(0, place, column.name, bold)

    def filled(self, opened: OpenSource, item: ExportItem, progress: watch.Progress) -> "_Sheet":
        """Return itself, with every row of the item."""
        with opened.session(*watch.WATCHED) as session:
            advance = watch.progress_of(progress, item.name)
            if item.kind == "table":  # counted in no time, where a million rows would be written first
                ((rows,),) = watch.execute(session, f"SELECT count(*) FROM ({item.sql})", item.params, advance)
                self._refuse_too_many(item, rows)
            for batch in watch.batches(session, item.sql, item.params, advance):
                self._refuse_too_many(item, len(batch))
                for row in batch:
                    self.rows += 1
                    for place, value in enumerate(row):
                        self._put(place, value)
        self._sheet.autofilter(0, 0, self.rows, max(len(self._columns) - 1, 0))
        return self

    def notes(self, name: str) -> Iterator[str]:
        """Say what has to be known of the sheet."""
        if self._sheet.get_name() != name:
            yield f"{name} is the sheet {self._sheet.get_name()}: Excel has no sheet of the whole name."
        if self._cut:
            texts = f"{self._cut:,} text{' is' if self._cut == 1 else 's are'}"
            yield f"{name}: {texts} longer than the {CELL:,} characters of a cell, and cut. Other formats have all."

    def _refuse_too_many(self, item: ExportItem, more: int) -> None:
        if self.rows + more >= ROWS:
            raise UsageError(
                f"{item.name} has more rows than the {ROWS - 1:,} of a sheet. Choose another format, such as csv, "
                "or a query with fewer rows."
            )

    def _put(self, place: int, value: Any) -> None:
        if value is None:
            return
        writer = _WRITERS.get(type(value))
        if writer is None or not writer(self, self.rows, place, value):
            self._put_text(place, text(value))

    def _put_text(self, place: int, value: str) -> None:
        shown = _within_cell(value.translate(_IN_NO_FILE))
        self._cut += len(shown) < len(value)
        self._sheet.write_string(self.rows, place, shown)

    def boolean(self, row: int, place: int, value: bool) -> bool:
        """Write a truth value."""
        self._sheet.write_boolean(row, place, value)
        return True

    def number(self, row: int, place: int, value: float | Decimal) -> bool:
        """Write a number, unless a cell would not hold all of its digits."""
        near = float(value)
        exact = math.isfinite(near) and (isinstance(value, float) or (near == value and abs(near) < _EXACT))
        if exact:
            self._sheet.write_number(row, place, near)
        return exact

    def moment(self, row: int, place: int, value: date | datetime) -> bool:
        """Write a time in UTC, or a date, unless Excel's calendar has none such."""
        if isinstance(value, datetime):
            value = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
        known = (value.year, value.month) >= _FIRST_MONTH
        if known:
            self._sheet.write_datetime(row, place, value, self._formats[type(value)])
        return known


_WRITERS: Mapping[type, Callable[[_Sheet, int, int, Any], bool]] = {
    bool: _Sheet.boolean,
    int: _Sheet.number,
    float: _Sheet.number,
    Decimal: _Sheet.number,
    datetime: _Sheet.moment,
    date: _Sheet.moment,
}
"""By the kind of a value; all others are texts."""


def _within_cell(value: str) -> str:
    if len(value) * 2 <= CELL:
        return value
    encoded = value.encode("utf-16-le")
    return value if len(encoded) <= 2 * CELL else encoded[: 2 * CELL].decode("utf-16-le", errors="ignore")
