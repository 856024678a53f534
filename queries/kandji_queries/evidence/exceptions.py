"""Exceptions: devices that need not meet a control for a time, with the reason and who approved it.

A CSV file with a head line, or a TOML file of ``[[exception]]`` tables, with the keys of :data:`KEYS`. ``from`` and
``until`` are days, UTC, both included. An exception takes a device out of the failed and the unknown ones of its days
and shows it as excepted; it never makes it pass.
"""

import csv
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from kandji_schema.errors import ConfigurationError
from kandji_schema.files import read_small_text
from kandji_schema.text import is_unfit

KEYS = ("control", "serial_number", "reason", "approved_by", "from", "until")

LARGEST = 10_000_000
"""Bytes of a file."""

LONGEST = 2_000
"""Characters of a text."""


@dataclass(frozen=True)
class Exemption:
    """One exception of the file; ``first_day`` and ``last_day`` are included."""

    control: str
    serial_number: str
    reason: str
    approved_by: str
    first_day: date
    last_day: date


def read_exceptions(path: Path) -> tuple[Exemption, ...]:
    """Read a file of exceptions; :class:`ConfigurationError` names file, place, key, value and rule."""
    try:
        if path.stat().st_size > LARGEST:
            raise ConfigurationError(f"The exceptions {path} have more than {LARGEST:,} bytes. Correct the file.")
        text = read_small_text(path, "utf-8-sig")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigurationError(f"The exceptions {path} cannot be read: {reason}. Correct the file.") from error
    rows = _of_toml(path, text) if path.suffix.lower() == ".toml" else _of_csv(path, text)
    return tuple(_exemption(f"{path}, {place}", row) for place, row in rows)


def _of_toml(path: Path, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        document = tomllib.loads(text)
    except ValueError as error:
        raise ConfigurationError(f"The exceptions {path} cannot be read: {error}. Correct the file.") from error
    entries = document.get("exception", [])
    if (
        document.keys() - {"exception"}
        or not isinstance(entries, list)
        or not all(isinstance(e, dict) for e in entries)
    ):
        raise ConfigurationError(f"{path} must hold [[exception]] tables and nothing else.")
    for number, entry in enumerate(entries, 1):
        if unknown := [key for key in entry if key not in KEYS]:
            raise _wrong(f"{path}, exception {number}", "a key", unknown[0], f"one of {', '.join(KEYS)}")
        yield f"exception {number}", entry


def _of_csv(path: Path, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        rows = csv.DictReader(text.splitlines(keepends=True), strict=True)
        head = [(name or "").strip().lower() for name in rows.fieldnames or ()]
        if sorted(head) != sorted(KEYS):
            raise _wrong(f"{path}, line 1", "the head", ",".join(head), f"the columns {', '.join(KEYS)}, each once")
        rows.fieldnames = head
        for row in rows:
            if None in row or None in row.values():
                raise _wrong(f"{path}, line {rows.line_num}", "the row", row.get(None, ""), f"{len(KEYS)} cells long")
            yield f"line {rows.line_num}", row
    except csv.Error as error:
        raise ConfigurationError(f"The exceptions {path} are no CSV: {error}. Correct the file.") from error


def _exemption(place: str, row: Mapping[str, Any]) -> Exemption:
    control, serial, reason, approved = (_text(place, key, row.get(key)) for key in KEYS[:4])
    first, last = (_day(place, key, row.get(key)) for key in KEYS[4:])
    if last < first:
        raise _wrong(place, "until", last.isoformat(), f"on or after from, {first}")
    return Exemption(control, serial, reason, approved, first, last)


def _text(place: str, key: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST or is_unfit(value, keep="\n\t"):
        raise _wrong(place, key, value, f"a text of at most {LONGEST:,} characters that can be seen")
    return value.strip()


def _day(place: str, key: str, value: object) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(str(value).strip())
    except ValueError:
        raise _wrong(place, key, value, "a day such as 2026-07-01; an exception has an end") from None


def _wrong(place: str, key: str, value: object, must: str) -> ConfigurationError:
    shown = repr(value)
    shown = shown if len(shown) <= 200 else f"{shown[:200]}..."
    return ConfigurationError(f"{place}: {key} is {shown}; it must be {must}.")
