"""Spelling of exported files: CSV with a header row, as the provider's storage holds it."""

import json
from collections.abc import Iterable
from enum import Enum
from typing import Any


class Header(Enum):
    """How columns are named in the first line."""

    FIELDS = "as in JSON: device__name"
    TITLES = "as titles: Device Name"


class Spelling(Enum):
    """How lists and objects are written."""

    JSON = "as JSON"
    PYTHON = "as Python prints them"


def header_line(names: Iterable[str], header: Header) -> bytes:
    """The first line."""
    shown = names if header is Header.FIELDS else map(_title, names)
    return b",".join(map(cell, shown)) + b"\r\n"


def _title(name: str) -> str:
    return " ".join(word.capitalize() for word in name.split("_") if word)


def cell(value: Any, spelling: Spelling = Spelling.JSON) -> bytes:
    """One value: nothing for null, ``True`` and ``False``, and quotes where they are needed."""
    if value is None:
        return b""
    text = value if isinstance(value, str) else _text(value, spelling)
    if '"' in text or "," in text or "\n" in text or "\r" in text:
        text = f'"{text.replace(chr(34), chr(34) * 2)}"'
    return text.encode()


def _text(value: Any, spelling: Spelling) -> str:
    if isinstance(value, list | dict) and spelling is Spelling.JSON:
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def line(row: dict[str, Any], names: Iterable[str], spelling: Spelling) -> bytes:
    """The cells of one row, without the end of the line."""
    return b",".join([cell(row.get(name), spelling) for name in names])
