"""One value of an answer as JSON and as text.

The rules, the same everywhere:

* moments are UTC: ``2026-11-20T12:00:00Z`` with microseconds where there are any, in JSON and CSV;
  ``2026-11-20 12:00:00``, to the second, in tables for people;
* whole numbers of any size stay numbers with all their digits (readers that use doubles round beyond 2^53);
* a DECIMAL, or a number inside a JSON document, is a number where a double holds it exactly enough to print the same
  digits, else a text with all digits;
* a DOUBLE has all its digits, but in tables for people three behind the point, and below 1 three that count;
* NaN and infinities, which JSON has no word for, are null in JSON and ``nan``, ``inf``, ``-inf`` in text;
* intervals are ISO 8601 durations (``P1DT2H``, a month as 30 days), blobs are hexadecimal, UUIDs and bits are text;
* a column of type JSON is embedded in JSON as what it says, and is its own text elsewhere.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from kandji_schema.utc import iso_utc, naive_utc

_LONG = 1e15
"""From here on a DOUBLE has no digit behind the point that counts."""

Convert = Callable[[Any], Any]

compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
"""Write JSON without spaces and with letters of any script as they are."""


class ResultColumn(NamedTuple):
    """One column of an answer; ``type`` is DuckDB's name of it."""

    name: str
    type: str


def row_converter(columns: Sequence[ResultColumn]) -> Callable[[Iterable[Any]], list[Any]]:
    """Return the function that makes a row of these columns JSON-ready."""
    convert = [_document if column.type == "JSON" else plain for column in columns]
    return lambda row: [f(value) for f, value in zip(convert, row, strict=True)]


def plain(value: Any) -> Any:
    """Return the value as JSON knows it: None, bool, int, float, str, list or dict."""
    kind = type(value)
    if kind in _AS_THEY_ARE:
        return value
    convert = _BY_TYPE.get(kind) or next((f for kinds, f in _PLAIN if isinstance(value, kinds)), str)
    return convert(value)


def text(value: Any) -> str:
    """Return the value as one text for CSV; None is the caller's."""
    if isinstance(value, float):
        return repr(value)  # nan and inf have words here
    value = plain(value)
    if isinstance(value, str):
        return value
    return str(value) if type(value) is int else compact(value)


def for_eyes(value: Any) -> str:
    """Return the value as one text for people; None is the caller's."""
    if isinstance(value, datetime):
        return f"{naive_utc(value):%Y-%m-%d %H:%M:%S}"
    if type(value) is float and 1 <= abs(value) < _LONG:
        return repr(round(value, 3))
    if type(value) is float and 0 < abs(value) < 1:
        return f"{value:.3g}"
    return text(value)


def _document(value: Any) -> Any:
    try:
        document = plain(json.loads(value, parse_float=Decimal))
        if "\\u" in value:
            compact(document).encode()  # half of a surrogate pair is no text that could be written
    except (TypeError, ValueError, ArithmeticError, RecursionError):
        return plain(value)
    return document


def _float(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _decimal(value: Decimal) -> float | str:
    near = float(value)
    return near if Decimal(repr(near)) == value else str(value)


def _duration(value: timedelta) -> str:
    """Return it in ISO 8601; the engine hands a month over as 30 days."""
    sign, value = ("-", -value) if value < timedelta() else ("", value)
    minutes, seconds = divmod(value.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f"{seconds + value.microseconds / 1e6:.6f}".rstrip("0").rstrip(".")
    days = f"{value.days}D" if value.days else ""
    clock = "".join(f"{n}{unit}" for n, unit in ((hours, "H"), (minutes, "M"), (fraction, "S")) if str(n) != "0")
    return f"{sign}P{days}{'T' + clock if clock else ''}" if days or clock else "PT0S"


def _key(value: Any) -> str:
    return value if isinstance(value, str) else text(value)


def _itself(value: Any) -> Any:
    return value


_AS_THEY_ARE = frozenset({type(None), str, bool, int})
"""Types whose values need no look: nearly all cells are of these."""

_PLAIN: tuple[tuple[type | tuple[type, ...], Convert], ...] = (
    ((str, int), _itself),
    (float, _float),
    (datetime, iso_utc),
    ((date, time), lambda value: value.isoformat()),
    (Mapping, lambda value: {_key(k): plain(v) for k, v in value.items()}),
    ((list, tuple), lambda value: [plain(v) for v in value]),
    (Decimal, _decimal),
    (timedelta, _duration),
    ((bytes, bytearray, memoryview), lambda value: bytes(value).hex()),
)

_BY_TYPE: Mapping[type, Convert] = {float: _float, datetime: iso_utc}
"""The commonest of these by their very type, for which nothing has to be tried."""
