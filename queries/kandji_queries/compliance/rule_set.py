"""The rules of compliance: data in a TOML file, read and checked here, judged by the view ``compliance``.

The file in force is the one ``KANDJI_MIRROR_COMPLIANCE_FILE`` names, else ``compliance.toml`` in the data directory,
else the one beside this module, whose header explains the format. A file replaces the built-in rules as a whole.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any

from kandji_queries.compliance.operators import NUL, OPERATORS, Operator, duration
from kandji_schema.errors import ConfigurationError
from kandji_schema.files import read_small_text

RULE_KEYS = ("name", "title", "fails", "severity", "platforms", "table", "max_age", "conditions")
CONDITION_KEYS = ("column", "operator", "value")

_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Condition:
    """What has to be true of one column; ``value`` is what the operator compares it with, or None."""

    column: str
    operator: Operator
    value: Any = None

    def __str__(self) -> str:
        return f"{self.column} {self.operator.words(self.value)}"


@dataclass(frozen=True)
class Rule:
    """One rule. A device meets it when every row it has in ``table`` meets all ``conditions``.

    ``platforms`` are those it is for, none meaning all. A row its device reported longer ago than ``max_age`` proves
    nothing. ``fails`` says in plain words what is wrong with a device that does not meet it.
    """

    name: str
    title: str
    fails: str
    severity: str | None
    platforms: tuple[str, ...]
    table: str
    max_age: timedelta | None
    conditions: tuple[Condition, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it looks at, each once."""
        return tuple(dict.fromkeys(condition.column for condition in self.conditions))


@dataclass(frozen=True)
class Place:
    """Where in a file of rules something stands, for errors: ``rule filevault_on`` or ``rule 3``."""

    path: Path
    rule: str

    def wrong(self, key: str, value: object, must: str) -> ConfigurationError:
        """Return the error of a value that does not follow its rule."""
        return ConfigurationError(f"{self.path}, rule {self.rule}: {key} is {value!r}; it must be {must}.")

    def unknown(self, key: str, value: str, known: Iterable[str]) -> ConfigurationError:
        """Return the error of a name that does not exist, with the nearest ones or all."""
        names = sorted(known)
        near = get_close_matches(value, names, n=3, cutoff=0.6)
        return self.wrong(key, value, f"one of {', '.join(near or names)}")


@dataclass(frozen=True)
class RuleSet:
    """The rules of one file, checked but for the names of tables and columns, which only a mirror knows."""

    path: Path
    rules: tuple[Rule, ...]

    @cached_property
    def tables(self) -> frozenset[str]:
        """The tables the rules look at, and that of the devices they are about."""
        return frozenset({"devices"} | {rule.table for rule in self.rules})

    def place(self, rule: Rule) -> Place:
        """Return where a rule stands."""
        return Place(self.path, rule.name)


def read(path: Path) -> RuleSet:
    """Read a file of rules; :class:`ConfigurationError` names file, rule, key, value and what is allowed."""
    entries = read_entries(path)
    rules = tuple(read_rule(path, number, entry) for number, entry in enumerate(entries, start=1))
    for _, wrong in same_names(path, [rule.name for rule in rules]):
        raise wrong
    return RuleSet(path, rules)


def read_entries(path: Path) -> Sequence[Mapping[str, Any]]:
    """Return what a file has of each rule, not checked yet; :class:`ConfigurationError` where it is no such file."""
    import tomllib  # only statements that ask about compliance need it

    try:
        document = tomllib.loads(read_small_text(path))
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"The compliance rules {path} cannot be read: {error}. Correct the file or KANDJI_MIRROR_COMPLIANCE_FILE."
        ) from error
    entries = document.get("rule")
    if document.keys() != {"rule"} or not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
        raise ConfigurationError(f"{path} must hold [[rule]] tables and nothing else, at least one.")
    return entries


def same_names(path: Path, names: Sequence[object]) -> Iterator[tuple[int, ConfigurationError]]:
    """Give number and error of each rule that has the name of one before it."""
    for number, name in enumerate(names, start=1):
        if name is not None and name in names[: number - 1]:
            yield number, Place(path, str(number)).wrong("name", name, "a name no other rule has")


def read_rule(path: Path, number: int, entry: Mapping[str, Any]) -> Rule:
    """Return one rule of a file; :class:`ConfigurationError` as of :func:`read`."""
    name = entry.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise Place(path, str(number)).wrong("name", name, "lower-case letters, digits and _, such as filevault_on")
    place = Place(path, name)
    _refuse_unknown_keys(place, entry, RULE_KEYS)
    conditions = tuple(_conditions(place, entry.get("conditions")))
    return Rule(
        name=name,
        title=_text(place, entry, "title"),
        fails=_text(place, entry, "fails", f"not met: {' and '.join(map(str, conditions))}"),
        severity=_text(place, entry, "severity", "") or None,
        platforms=_platforms(place, entry),
        table=_text(place, entry, "table"),
        max_age=_max_age(place, entry),
        conditions=conditions,
    )


def _refuse_unknown_keys(place: Place, entry: Mapping[str, Any], known: Collection[str]) -> None:
    for key in entry:
        if key not in known:
            raise place.unknown("a key", key, known)


def _text(place: Place, entry: Mapping[str, Any], key: str, default: str | None = None) -> str:
    value = entry.get(key, default)
    if not isinstance(value, str) or NUL in value or (default is None and not value.strip()):
        raise place.wrong(key, value, "a text")
    return value


def _platforms(place: Place, entry: Mapping[str, Any]) -> tuple[str, ...]:
    value = entry.get("platforms", [])
    if not isinstance(value, list) or not all(isinstance(n, str) and n and NUL not in n for n in value):
        raise place.wrong("platforms", value, 'a list of texts such as ["Mac"]; leave it out for all platforms')
    return tuple(value)


def _max_age(place: Place, entry: Mapping[str, Any]) -> timedelta | None:
    if "max_age" not in entry:
        return None
    found = duration(entry["max_age"])
    if found is None:
        raise place.wrong("max_age", entry["max_age"], "a time such as 36h or 7d (s, m, h, d)")
    return found


def _conditions(place: Place, entries: object) -> Iterator[Condition]:
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise place.wrong("conditions", entries, 'a list such as [{ column = "status", operator = "is_true" }]')
    for entry in entries:
        _refuse_unknown_keys(place, entry, CONDITION_KEYS)
        yield _condition(place, entry)


def _condition(place: Place, entry: Mapping[str, Any]) -> Condition:
    column, name = _text(place, entry, "column"), _text(place, entry, "operator")
    if name not in OPERATORS:
        raise place.unknown("operator", name, OPERATORS)
    operator, value = OPERATORS[name], entry.get("value")
    if not operator.takes(value):
        raise place.wrong(f"value of {column} {name}", value, operator.needs)
    return Condition(column, operator, value)


FILE = "compliance.toml"
"""Name of the file, in the data directory and in the package."""

BUILT_IN = Path(__file__).parent / FILE


class RuleFile:
    """The rules in force for a data directory; the file is read when they are wanted and again when it changed."""

    def __init__(self, home: Path | None = None, named: str = "") -> None:
        """``named`` is the setting's path. Without both, the built-in rules."""
        self._home = home
        self._named = Path(named).expanduser() if named else None
        self._read: tuple[object, RuleSet] | None = None

    @property
    def path(self) -> Path:
        """The file in force."""
        if self._named:
            return self._named
        own = self._home / FILE if self._home else None
        return own if own and own.exists() else BUILT_IN

    def stamp(self) -> tuple[Path, int, int] | None:
        """Return what differs when other rules may be in force; None where the file cannot be read."""
        path = self.path
        try:
            facts = path.stat()
        except OSError:
            return None
        return path, facts.st_mtime_ns, facts.st_size

    def rules(self) -> RuleSet:
        """Return the rules; :class:`ConfigurationError` names file, rule, key, value and what is allowed."""
        stamp = self.stamp()
        if self._read is None or self._read[0] != stamp:
            self._read = stamp, read(self.path)
        return self._read[1]
