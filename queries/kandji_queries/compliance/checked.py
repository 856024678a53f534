"""A file of rules of one's own, looked at before it is in force: all that is wrong with it, line by line."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kandji_queries.compliance.relations import statements
from kandji_queries.compliance.rule_set import RULE_KEYS, Rule, RuleSet, read_entries, read_rule, same_names
from kandji_schema.errors import ConfigurationError
from kandji_schema.files import read_small_text
from kandji_schema.registry import resources

PLATFORMS = ("Mac", "iPhone", "iPad", "AppleTV", "Vision", "Windows", "Android")
"""What ``devices.platform`` is; another name in ``platforms`` makes a rule that no device gets."""

_HEADER = re.compile(r"\s*\[\[\s*[\"']?rule[\"']?\s*\]\]")
_AT_LINE = re.compile(r"at line (\d+)")
_SAID = re.compile(r": (?:a (?P<what>key)|(?P<key>\w+))(?P<more>[^:]*?) is (?P<value>'[^']*'|\S+);")


@dataclass(frozen=True)
class Problem:
    """What is wrong, with its remedy; ``line`` counts from 1, None where it is the file as a whole."""

    line: int | None
    text: str


@dataclass(frozen=True)
class Checked:
    """A file that was looked at; ``rules`` are there where nothing is wrong. ``doubts`` keep no file out of force."""

    path: Path
    rules: RuleSet | None
    problems: tuple[Problem, ...] = ()
    doubts: tuple[Problem, ...] = ()


def check(path: Path) -> Checked:
    """Look at every rule of a file: its keys, operators and values, and whether its tables and columns exist."""
    try:
        entries = read_entries(path)
    except ConfigurationError as error:
        return Checked(path, None, (Problem(_line_said(path, str(error)), str(error)),))
    lines = _Lines(path)
    problems: list[Problem] = []
    rules: list[Rule] = []
    for number, entry in enumerate(entries, start=1):
        try:
            rule = read_rule(path, number, entry)
            statements(RuleSet(path, (rule,)), declared_shape)
            rules.append(rule)
        except ConfigurationError as error:
            problems.append(lines.problem(number, str(error)))
    for number, wrong in same_names(path, [entry.get("name") for entry in entries]):
        problems.append(lines.problem(number, str(wrong)))
    found = None if problems else RuleSet(path, tuple(rules))
    return Checked(path, found, tuple(sorted(problems, key=lambda p: p.line or 0)), tuple(_doubts(lines, entries)))


def _line_said(path: Path, text: str) -> int | None:
    """Return the line that the reader of TOML names; it calls the last one otherwise."""
    said = _AT_LINE.search(text)
    if said:
        return int(said[1])
    return len(read_small_text(path).splitlines()) if "(at end of document)" in text else None


def declared_shape(table: str) -> Mapping[str, str] | None:
    """Types of a table's columns by name, as a mirror of this version has them; None where there is no such table."""
    found = resources().get(table)
    if found is None:
        return None
    return {c.name: c.kind.value for c in found.columns} | {c.name: c.type for c in found.derived}


def _doubts(lines: "_Lines", entries: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    for number, entry in enumerate(entries, start=1):
        given = entry.get("platforms")
        for platform in given if isinstance(given, list) else ():
            if isinstance(platform, str) and platform not in PLATFORMS:
                text = f"no device gets this rule by the platform {platform!r}; there are {', '.join(PLATFORMS)}."
                yield Problem(lines.of(number, "platforms", platform), text)


class _Lines:
    """Where in the text of a file rules and their keys stand."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines = read_small_text(path).splitlines()
        self._starts = [place for place, line in enumerate(self._lines) if _HEADER.match(line)]

    def problem(self, number: int, text: str) -> Problem:
        """Return what is wrong with a rule, at the line of what the error names; without the file's name."""
        said = _SAID.search(text)
        key = said["key"] if said and said["key"] in RULE_KEYS else "conditions"
        value = said["value"].strip("'") if said else ""
        if said and said["what"]:
            key = value
        return Problem(self.of(number, key, value), text.removeprefix(f"{self._path}, "))

    def of(self, number: int, key: str, value: str) -> int | None:
        """Return the line of a key of the ``number``-th rule, of its value where that stands on one of its own."""
        if number > len(self._starts):  # rules that are written as `rule = [...]`
            return None
        first = self._starts[number - 1]
        last = self._starts[number] if number < len(self._starts) else len(self._lines)
        block = range(first, last)
        begins = next((n for n in block if re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", self._lines[n])), None)
        if begins is None:
            begins = next((n for n in block if key and key in self._lines[n].partition("#")[0]), first)
        quoted = re.compile(rf"[\"']{re.escape(value)}[\"']")
        exact = (n for n in range(begins, last) if value and quoted.search(self._lines[n]))
        return next(exact, begins) + 1 if key in {"conditions", "platforms"} else begins + 1
