"""An answer as text: ``table``, ``records``, ``json``, ``jsonl``, ``csv``, ``markdown``, ``arrays``.

``json`` is an array of objects, one a row, ``jsonl`` an object a line. ``arrays`` is one object that has everything
known of the answer: ``columns``, ``rows`` as arrays, ``as_of``, ``notes``.

All but those for eyes are written row by row as the engine delivers them, and exactly so but on a terminal, which obeys
what it is sent: there they are escaped, JSON by its own rules. ``table``, ``records`` (a block a row) and ``markdown``
are for eyes: what could move the cursor, reorder a line or be rendered (control, invisible and bidirectional
characters, line breaks, Markdown) is escaped, because people name their devices as they like. A table fits the terminal
it is written to (:mod:`kandji_queries.results.text_table`). Values follow :mod:`kandji_queries.results.values`.
"""

import json
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count
from typing import Any, TextIO, cast

from kandji_queries.results.result import Answer
from kandji_queries.results.text_table import record_lines, table_lines
from kandji_queries.results.values import compact, for_eyes, row_converter, text
from kandji_schema.errors import UnknownName
from kandji_schema.text import escaped, has_unseen

_NUMERIC = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL.*")
RECORD = 100
"""Columns of a record where there is no terminal."""

_MARKDOWN = re.compile(r"[\\`*\[\]<>|~&]|(?<![^\W_])_|_(?![^\W_])|:(?=//)|(?<=www)\.")
_QUOTED = re.compile(r'[",\r\n]|^\s|\s$|^$')


def write(answer: Answer, format: str, out: TextIO) -> None:  # noqa: A002  # the word users type
    """Write the whole answer to ``out``; :class:`UnknownName` for a format there is not."""
    if format not in _WRITERS:
        raise UnknownName("format", format, FORMATS)
    if format in _EXACT and out.isatty():
        out = cast(TextIO, _Escaping(out, json_line if format != "csv" else escaped))
    _WRITERS[format](answer, out)


class _Escaping:
    """A terminal that is written to line by line, each escaped."""

    def __init__(self, out: TextIO, escape: Callable[[str], str]) -> None:
        self._out = out
        self._escape = escape

    def write(self, text: str) -> int:
        return self._out.write("\n".join(map(self._escape, text.split("\n"))))


def json_line(line: str) -> str:
    """Spell what nobody sees in a line as JSON spells it, a character beyond U+FFFF as its two surrogates."""
    if line.isascii():
        return escaped(line)
    return escaped("".join(json.dumps(c)[1:-1] if ord(c) > 0xFFFF and has_unseen(c) else c for c in line))


def _arrays(answer: Answer, out: TextIO) -> None:
    columns = compact([column._asdict() for column in answer.columns])
    out.write(f'{{"columns":{columns},"rows":[')
    separator = "\n"
    for row in answer.json_rows():
        out.write(separator + row.decode())
        separator = ",\n"
    out.write(f"],{compact(answer.facts())[1:]}\n")


def _json(answer: Answer, out: TextIO) -> None:
    separator = "[\n"
    for line in _objects(answer):
        out.write(separator + line)
        separator = ",\n"
    out.write("[]\n" if separator == "[\n" else "\n]\n")


def _jsonl(answer: Answer, out: TextIO) -> None:
    for line in _objects(answer):
        out.write(line + "\n")


def _objects(answer: Answer) -> Iterator[str]:
    """Yield each row as an object, without line breaks."""
    names = unique([column.name for column in answer.columns])
    convert = row_converter(answer.columns)
    for row in answer:
        yield compact(dict(zip(names, convert(row), strict=True)))


def unique(names: Sequence[str]) -> list[str]:
    """Return column names as keys: a repeated one gets ``_2``, ``_3`` ..., past those that are there."""
    keys: list[str] = []
    for name in names:
        numbered = (f"{name}_{number}" for number in count(2))
        keys.append(name if name not in keys else next(k for k in numbered if k not in {*keys, *names}))
    return keys


def renamed(answer: Answer, format: str) -> str:  # noqa: A002  # the word users type
    """Say which columns have other keys than names, since several are called the same; empty where none has."""
    if format not in _KEYED:
        return ""
    names = [column.name for column in answer.columns]
    others = [f"{key!r} is a column {name!r}" for name, key in zip(names, unique(names), strict=True) if name != key]
    return f"Several columns are called the same: {', '.join(others)}. AS gives one another name." if others else ""


def _csv(answer: Answer, out: TextIO) -> None:
    out.write(",".join(_quoted(column.name) for column in answer.columns) + "\n")
    null = "" if len(answer.columns) > 1 else '""'  # many readers pass over an empty line
    for row in answer:
        out.write(",".join(null if value is None else _quoted(text(value)) for value in row) + "\n")


def _quoted(value: str) -> str:
    """Quote by RFC 4180. NULL is the empty field, so the empty text is written with quotes."""
    return '"' + value.replace('"', '""') + '"' if _QUOTED.search(value) else value


def _table(answer: Answer, out: TextIO) -> None:
    if tuple(column.name for column in answer.columns) == _PLAN:
        _plan(answer, out)
        return
    rows = [[_shown(value) for value in row] for row in answer]
    heads = [escaped(column.name) for column in answer.columns]
    right = [bool(_NUMERIC.fullmatch(column.type)) for column in answer.columns]
    room = shutil.get_terminal_size().columns if out.isatty() else None
    out.writelines(f"{line}\n" for line in table_lines(heads, rows, right, room))


def _records(answer: Answer, out: TextIO) -> None:
    room = shutil.get_terminal_size().columns if out.isatty() else RECORD
    rows = [[_shown(value) for value in row] for row in answer]
    heads = [escaped(column.name) for column in answer.columns]
    out.writelines(f"{line}\n" for line in record_lines(heads, rows, room))


def _plan(answer: Answer, out: TextIO) -> None:
    """Write what EXPLAIN answers: a picture of lines, each as it is; on a terminal that is too narrow an outline."""
    room = shutil.get_terminal_size().columns if out.isatty() else None
    for _, picture in answer:
        lines = [escaped(line).rstrip() for line in text(picture).rstrip("\n").split("\n")]
        if room is not None and max(map(len, lines)) > room:
            from kandji_queries.results.plan import plan_lines  # few statements are explained

            lines = [*plan_lines(lines, room)]
        out.writelines(f"{line}\n" for line in lines)


def _markdown(answer: Answer, out: TextIO) -> None:
    _markdown_line((_harmless(column.name) for column in answer.columns), out)
    _markdown_line(("--:" if _NUMERIC.fullmatch(c.type) else "---" for c in answer.columns), out)
    for row in answer:
        _markdown_line((_harmless(_shown(value)) for value in row), out)


def _markdown_line(cells: Iterable[str], out: TextIO) -> None:
    out.write("| " + " | ".join(cells) + " |\n")


def _harmless(value: str) -> str:
    """Return a text that a Markdown renderer shows as it is: no link, no image, no HTML, no cell border."""
    return _MARKDOWN.sub(lambda match: "\\" + match[0], escaped(value))


def _shown(value: Any) -> str:
    if value is None:
        return "NULL"
    return escaped(for_eyes(value))


_WRITERS: dict[str, Callable[[Answer, TextIO], None]] = {
    "table": _table,
    "records": _records,
    "json": _json,
    "jsonl": _jsonl,
    "csv": _csv,
    "markdown": _markdown,
    "arrays": _arrays,
}

_KEYED = frozenset({"json", "jsonl"})
"""Formats whose rows have keys."""

_EXACT = frozenset({*_KEYED, "csv", "arrays"})
"""Formats for programs."""

_PLAN = ("explain_key", "explain_value")
"""Columns of what EXPLAIN answers."""

FORMATS = tuple(_WRITERS)
"""Names of the formats."""
