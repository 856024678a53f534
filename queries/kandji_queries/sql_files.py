"""The header comment of our SQL files: ``-- key: value`` lines before the one statement.

::

    -- title: Devices by platform
    -- description: How many devices there are of each platform,
    --   removed ones included.
    SELECT ...

A comment line that begins with spaces after the dashes continues the line before it. The statement below runs as it
is in any DuckDB shell.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kandji_schema.errors import ConfigurationError

_ENTRY = re.compile(r"--\s?(?P<key>[a-z]+):\s*(?P<value>.*)")
_MORE = re.compile(r"--\s{2,}(?P<value>.*)")


@dataclass(frozen=True, slots=True)
class Entry:
    """One header line with its continuations; ``line`` counts from 1."""

    key: str
    value: str
    line: int


@dataclass(frozen=True)
class SqlFile:
    """A file of ours: its entries and the statement without the final semicolon. ``name`` is the file's stem."""

    path: Path
    entries: tuple[Entry, ...]
    sql: str

    @property
    def name(self) -> str:
        """What users call it."""
        return self.path.stem

    def one(self, key: str) -> str:
        """Return the value of an entry that must be there exactly once."""
        values = [e.value for e in self.entries if e.key == key]
        if len(values) != 1:
            raise self.wrong(1, f"it has {len(values)} `-- {key}:` lines and needs exactly one")
        return values[0]

    def all(self, key: str) -> Iterator[Entry]:
        """Return every entry of that key, in order."""
        return (e for e in self.entries if e.key == key)

    def wrong(self, line: int, what: str) -> ConfigurationError:
        """Return the error of a file that does not follow the rules."""
        return ConfigurationError(f"{self.path.name}, line {line}: {what}.")


def read(path: Path, keys: frozenset[str]) -> SqlFile:
    """Read a file of ours; ``keys`` are the entries it may have. :class:`ConfigurationError` names file and line."""
    lines = path.read_text(encoding="utf-8").splitlines()
    length = next((i for i, line in enumerate(lines) if not line.startswith("--")), len(lines))
    sql = "\n".join(lines[length:]).strip().removesuffix(";")
    file = SqlFile(path, tuple(_entries(lines[:length])), sql)
    for entry in file.entries:
        if entry.key not in keys:
            raise file.wrong(entry.line, f"`{entry.key}` is not one of {', '.join(sorted(keys))}")
    if not sql:
        raise file.wrong(length, "there is no statement below the header")
    return file


def folder(path: Path, keys: frozenset[str]) -> dict[str, SqlFile]:
    """Read all ``.sql`` files of a folder by name, sorted."""
    return {file.stem: read(file, keys) for file in sorted(path.glob("*.sql"))}


def column(entry: Entry) -> tuple[str, str]:
    """Return name and meaning of a line ``column: name | meaning``."""
    name, _, words = entry.value.partition("|")
    return name.strip(), words.strip()


def _entries(lines: list[str]) -> Iterator[Entry]:
    entry: Entry | None = None
    for number, line in enumerate(lines, start=1):
        if more := _MORE.fullmatch(line):
            if entry:
                entry = Entry(entry.key, f"{entry.value} {more['value'].strip()}".strip(), entry.line)
            continue
        if entry:
            yield entry
        match = _ENTRY.fullmatch(line)
        entry = Entry(match["key"], match["value"].strip(), number) if match else Entry("", line, number)
    if entry:
        yield entry
