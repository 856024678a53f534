"""The line ``says`` of a query's header: a sentence with fields that are filled from the answer.

========================== ==========================================================================
``{count}``                number of rows
``{sum COLUMN}``           sum of a column; likewise ``max``, ``min``, and ``first``, ``last`` by the order of rows
``{top COLUMN by OTHER}``  the value of COLUMN in the row where OTHER is largest
``{share COLUMN of ALL}``  percent that the sum of COLUMN is of the sum of ALL, with the sign
``{$param}``               value of a parameter
========================== ==========================================================================

Words follow a number as it needs them: ``{sum devices|device|devices}`` is "1 device" or "2 devices".
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from kandji_queries.charts.number_text import PERCENT, number, number_text
from kandji_queries.results.data_notes import COUNTED, DUE
from kandji_queries.results.values import for_eyes
from kandji_schema.text import one_line

Rows = Sequence[Sequence[Any]]

UNKNOWN = "unknown"
NOTHING = "Nothing to show"

LONGEST = 120
"""Most characters of a value in a sentence."""

_FIELD = re.compile(r"\{([^{}]*)\}")
_FORMS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("count", re.compile(r"count")),
    ("param", re.compile(r"\$(?P<param>\w+)")),
    ("top", re.compile(r"top (?P<one>\w+) by (?P<other>\w+)")),
    ("share", re.compile(r"share (?P<one>\w+) of (?P<other>\w+)")),
    ("of", re.compile(r"(?P<what>sum|first|last|max|min) (?P<one>\w+)")),
)
_RULE = (
    "{count}, {sum COLUMN}, {first COLUMN}, {last COLUMN}, {max COLUMN}, {min COLUMN}, {top COLUMN by COLUMN}, "
    "{share COLUMN of COLUMN} or {$param}, with |one|several behind it"
)


def sentence(
    template: str,
    columns: Sequence[str],
    rows: Rows,
    params: Mapping[str, object] | None = None,
    notes: Sequence[str] = (),
) -> str:
    """Return what an answer shows, in one line. Without rows that, with the ``notes`` as the reason.

    ``rows`` have a cell for each of the ``columns``; ``params`` are values by name. :class:`ValueError` where a field
    is none, or names a column or parameter there is not.
    """
    check_template(template, columns, params or {})
    if not rows:
        return nothing(notes)
    answer = _Answer(columns, rows, params or {})
    return _FIELD.sub(lambda found: answer.text(found[1]), template)


def nothing(notes: Sequence[str] = ()) -> str:
    """Say that there is nothing to show, and why where notes tell: how old rows are and which count is no reason."""
    reasons = [note for note in notes if DUE not in note and not note.startswith(COUNTED)]
    return one_line(f"{NOTHING}: {' '.join(reasons)}") if reasons else f"{NOTHING}: the answer has no rows."


def check_template(template: str, columns: Collection[str] | None, params: Collection[str]) -> None:
    """Refuse by :class:`ValueError` what is no field, or names what is not there; None for columns: not known yet."""
    if re.search(r"[{}]", _FIELD.sub("", template)):
        raise ValueError("a { or } of the sentence has no other half")
    for inner in _FIELD.findall(template):
        kind, found = _read(inner)
        if kind == "param" and found["param"] not in params:
            raise ValueError(f"the sentence names the parameter ${found['param']}, which the query has not")
        for name in _named(found):
            if columns is not None and name not in columns:
                raise ValueError(f"the sentence names the column {name!r}; the answer has {', '.join(columns)}")


def named_columns(template: str) -> tuple[str, ...]:
    """Return the columns that the fields of a template name, each once; :class:`ValueError` where one is no field."""
    return tuple(dict.fromkeys(name for inner in _FIELD.findall(template) for name in _named(_read(inner)[1])))


def _read(inner: str) -> tuple[str, dict[str, str]]:
    """Return which kind of field it is and what it names."""
    written, *words = inner.split("|")
    for kind, pattern in _FORMS:
        if (found := pattern.fullmatch(" ".join(written.split()))) and len(words) in {0, 2}:
            return kind, found.groupdict()
    raise ValueError(f"{{{inner[:60]}}} is no field of a sentence: {_RULE}")


def _named(found: Mapping[str, str]) -> Iterator[str]:
    yield from (found[key] for key in ("one", "other") if key in found)


class _Answer:
    """An answer with at least one row, of which fields are filled."""

    def __init__(self, columns: Sequence[str], rows: Rows, params: Mapping[str, object]) -> None:
        self._columns = columns
        self._rows = rows
        self._params = params

    def text(self, inner: str) -> str:
        kind, found = _read(inner)
        words = inner.split("|")[1:]
        value = self._value(kind, found)
        written = f"{number_text(value, PERCENT)}" if kind == "share" and value is not None else value_text(value)
        if not words:
            return written
        return f"{written} {words[0] if number(value) == 1 else words[1]}".rstrip()

    def _value(self, kind: str, found: Mapping[str, str]) -> Any:
        if kind == "count":
            return len(self._rows)
        if kind == "param":
            return self._params[found["param"]]
        if kind == "top":
            return self._top(found["one"], found["other"])
        if kind == "share":
            whole = self._sum(found["other"])
            return 100 * (self._sum(found["one"]) or 0) / whole if whole else None
        return self._of(found["what"], found["one"])

    def _of(self, what: str, column: str) -> Any:
        cells = self._cells(column)
        if what in {"first", "last"}:
            return cells[0 if what == "first" else -1]
        if what == "sum":
            return self._sum(column)
        largest: Callable[..., Any] = max if what == "max" else min
        known = [cell for cell in cells if cell is not None]
        numbers = [cell for cell in known if number(cell) is not None]
        return largest(numbers or map(str, known), default=None) if known else None

    def _top(self, one: str, other: str) -> Any:
        known = [(number(size), cell) for size, cell in zip(self._cells(other), self._cells(one), strict=True)]
        rated = [(size, cell) for size, cell in known if size is not None]
        return max(rated, key=lambda pair: pair[0])[1] if rated else None

    def _sum(self, column: str) -> float | None:
        known = [value for cell in self._cells(column) if (value := number(cell)) is not None]
        return sum(known) if known else None

    def _cells(self, column: str) -> list[Any]:
        place = self._columns.index(column)
        return [row[place] for row in self._rows]


def value_text(value: Any) -> str:
    """Write a value of a sentence or a label: on one line, numbers with thousands apart, none as "unknown"."""
    if value is None or value == "":
        return UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if (known := number(value)) is not None:
        return number_text(known)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d}" if value.time() == datetime.min.time() else f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    text = one_line(for_eyes(value))
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
