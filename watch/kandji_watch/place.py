"""Values of ``checks.toml``: read by their kind, and told with file, part, key, value and rule where they are wrong."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from kandji_schema.durations import parse_duration
from kandji_schema.errors import ConfigurationError

LONGEST_SHOWN = 80
"""Most characters of a wrong value that an error repeats."""

NUL = "\0"
"""No text of a check has it: neither the engine nor a program takes it."""

Table = Mapping[str, Any]
"""A table of the file, as TOML has it."""


@dataclass(frozen=True)
class Place:
    """Where in the file something stands, for errors: ``check macs_without_filevault``, ``target ops``."""

    path: Path
    part: str

    def wrong(self, key: str, value: object, must: str) -> ConfigurationError:
        """Return the error of a value that does not follow its rule."""
        return ConfigurationError(f"{self.path}, {self.part}: {key} is {shown(value)}; it must be {must}.")

    def secret(self, key: str, must: str) -> ConfigurationError:
        """Return the error of a value that may be a secret, which is not repeated."""
        return ConfigurationError(f"{self.path}, {self.part}: {key} cannot be used; it must be {must}.")

    def missing(self, key: str, what: str) -> ConfigurationError:
        """Return the error of a key that has to be there."""
        return ConfigurationError(f"{self.path}, {self.part}: {key} is missing; it is {what}.")

    def unknown(self, key: str, value: str, known: Iterable[str]) -> ConfigurationError:
        """Return the error of a name that does not exist, with the nearest ones or all."""
        names = sorted(known)
        near = get_close_matches(value, names, n=3, cutoff=0.6)
        return self.wrong(key, value, f"one of {', '.join(near or names)}" if names else "left out")

    def refuse_unknown(self, table: Table, known: Collection[str]) -> None:
        """Raise the error of the first key that has no meaning here."""
        for key in table:
            if key not in known:
                raise self.unknown("a key", key, known)

    def text(self, table: Table, key: str, default: str | None = None) -> str:
        """Return a text that is not blank; without ``default`` it has to be there."""
        if key not in table and default is not None:
            return default
        value = table.get(key)
        if not isinstance(value, str) or not value.strip() or NUL in value:
            raise self.wrong(key, value, "a text")
        return value

    def texts(self, table: Table, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Return a list of texts; one text alone is a list of one."""
        if key not in table:
            return default
        value = [table[key]] if isinstance(table[key], str) else table[key]
        if not isinstance(value, list) or not all(isinstance(t, str) and t.strip() and NUL not in t for t in value):
            raise self.wrong(key, table[key], 'a text or a list of texts, such as ["ops"]')
        return tuple(value)

    def flag(self, table: Table, key: str, default: bool) -> bool:
        """Return true or false."""
        value = table.get(key, default)
        if not isinstance(value, bool):
            raise self.wrong(key, value, "true or false, without quotes")
        return value

    def number(self, table: Table, key: str, default: float | None = None) -> float:
        """Return a number that is finite; without ``default`` it has to be there."""
        value = table.get(key, default)
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or value != value
            or abs(value) == float("inf")
        ):
            raise self.wrong(key, value, "a number, without quotes")
        return value

    def whole(self, table: Table, key: str, default: int, low: int, high: int) -> int:
        """Return a whole number between two bounds."""
        value = table.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self.wrong(key, value, f"a whole number from {low} to {high:,}, without quotes")
        return value

    def duration(self, table: Table, key: str, default: str, low: timedelta = timedelta(seconds=1)) -> timedelta:
        """Return a length of time, ``low`` or more."""
        value = table.get(key, default)
        found = parse_duration(value) if isinstance(value, str) else None
        if found is None or found < low:
            raise self.wrong(key, value, "a time such as 15m, 6h or 1d (s, m, h, d, w)")
        return found

    def choice(self, table: Table, key: str, choices: Collection[str], default: str | None = None) -> str:
        """Return one of some words."""
        value = table.get(key, default)
        if value is None:
            raise self.missing(key, f"one of {', '.join(choices)}")
        if not isinstance(value, str) or value not in choices:
            raise self.unknown(key, value, choices) if isinstance(value, str) else self.wrong(key, value, "a text")
        return value

    def table(self, table: Table, key: str) -> Table:
        """Return a table of names and values; empty where there is none."""
        value = table.get(key, {})
        if not isinstance(value, dict):
            raise self.wrong(key, value, "names and values, such as { days = 30 }")
        return value


def shown(value: object) -> str:
    """Return a value as an error repeats it: short, and without what a terminal would obey."""
    text = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."
