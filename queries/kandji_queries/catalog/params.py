"""Parameters: the typed ones of named queries, as declared in a query's header, and texts from a command line.

::

    -- param: days int = 7 [1, 3650] | Days without contact.
    -- param: app text | Part of the app's name or bundle identifier.
    -- param: since time optional | Since when: 24h or 7d ago, or a date or time, UTC.
    -- param: platform enum(any, Mac, iPhone) = any | Which devices.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from types import MappingProxyType
from typing import Any

from kandji_queries.times import read_moment
from kandji_schema.errors import UsageError
from kandji_schema.sql import fold_name
from kandji_schema.text import fold_text
from kandji_schema.utc import naive_utc

LONGEST_TEXT = 1_000
"""Most characters of a text parameter."""

KINDS = MappingProxyType(
    {
        "app": "app",
        "user": "person",
        "person": "person",
        "profile": "profile",
        "blueprint": "blueprint",
        "tag": "tag",
        "and_tag": "tag",
        "other_app": "app",
        "cve": "cve",
        "item": "item",
        "certificate": "certificate",
    }
)
"""The kind of thing that a parameter of that name names; devices have notes of their own."""

LONGEST_SHOWN = 80
"""Most characters of a wrong value that an error repeats."""

_DECLARATION = re.compile(
    r"(?P<name>[a-z][a-z0-9_]*)\s+(?P<kind>text|version|int|float|bool|date|time|enum\s*\((?P<choices>[^()]+)\))"
    r"(?:\s+(?P<optional>optional)|\s*=\s*(?P<default>[^|\[]*?))?"
    r"(?:\s*\[(?P<low>[^,\]]+),(?P<high>[^\]]+)\])?\s*\|\s*(?P<description>.+)"
)
_NOT_CODE = re.compile(
    r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\$(?P<tag>(?:[A-Za-z_]\w*)?)\$.*?\$(?P=tag)\$", re.S
)
_USED = re.compile(r"\$([A-Za-z_]\w*)")
_VERSION = re.compile(r"\s*(?:version|v)?[. ]*\d{1,30}(?:\.\d{1,30})*(?!\d)", re.I)
_BOOLEANS = MappingProxyType({"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False})


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter. ``kind`` is text, version, int, float, bool, date, time or enum; ``default`` None means none.

    A time is a moment that is not to come, as :mod:`kandji_queries.times` reads it, or ago from now.
    A version is a text that ``version_key`` can read: one that cannot be compared would match nothing or everything.

    A parameter is ``required`` when it has no default and is not declared optional; an optional one without a value
    is bound as NULL. ``low`` and ``high`` bound an int or float, both included.
    """

    name: str
    kind: str
    description: str
    default: Any = None
    required: bool = True
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()

    def value(self, raw: object) -> Any:
        """Return the value to bind, from text or a value of the right type; :class:`UsageError` says the rule."""
        if raw is None and not self.required:
            return self.default
        try:
            value = _READERS[self.kind](raw)
        except (ValueError, TypeError, KeyError, UsageError) as error:
            raise self._wrong(raw) from error
        if self.kind == "enum":
            value = self._choice(value)
        if not self._allows(value):
            raise self._wrong(raw)
        return value

    @property
    def signature(self) -> str:
        """Write ``days=7``, ``platform=any|Mac|iPhone`` with the default first, ``app`` if needed, ``blueprint?``."""
        if self.choices:
            others = [choice for choice in self.choices if choice != self.default]
            return f"{self.name}={'|'.join(map(str, filter(None, (self.default, *others))))}"
        if self.default is not None:
            return f"{self.name}={self.default_text}"
        return self.name if self.required else f"{self.name}?"

    @property
    def default_text(self) -> str:
        """Write the default as it would be given; empty where there is none."""
        if isinstance(self.default, float):
            return f"{self.default:g}"
        if isinstance(self.default, bool):
            return str(self.default).lower()
        return "" if self.default is None else str(self.default)

    def rule(self) -> str:
        """Say what a value must be, in words: ``an int from 1 to 3650``."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        bounds = f" from {self.low:g} to {self.high:g}" if self.low is not None and self.high is not None else ""
        return f"{_WORDS[self.kind]}{bounds}"

    def _choice(self, text: str) -> str:
        """Return the choice that is written so in any letter case, or the text itself."""
        return next((choice for choice in self.choices if fold_name(choice) == fold_name(text.strip())), text)

    def _allows(self, value: Any) -> bool:
        if self.kind == "enum":
            return value in self.choices
        if self.kind in {"int", "float"} and self.low is not None and self.high is not None:
            return bool(self.low <= value <= self.high)
        return True

    @property
    def _is_text(self) -> bool:
        return self.kind in {"text", "version", "enum"}

    def _wrong(self, raw: object) -> UsageError:
        shown = repr(raw)
        shown = shown if len(shown) <= LONGEST_SHOWN else f"{shown[:LONGEST_SHOWN]}..."
        quoted = ", in quotes: a number with a point loses zeros" if isinstance(raw, float) and self._is_text else ""
        each = " Ask once for each." if isinstance(raw, list | tuple) and len(raw) > 1 else ""
        return UsageError(f"The parameter {self.name} is {shown}; it must be {self.rule()}{quoted}.{each}")


def parse_declaration(text: str) -> Param:
    """Read one declaration; :class:`ValueError` or :class:`UsageError` where it is none."""
    match = _DECLARATION.fullmatch(text)
    if match is None:
        raise ValueError("a parameter is declared as `name type = default [low, high] | description`")
    choices = tuple(choice.strip() for choice in (match["choices"] or "").split(",") if choice.strip())
    low, high = (float(match[bound]) if match[bound] else None for bound in ("low", "high"))
    param = Param(
        name=match["name"],
        kind="enum" if choices else match["kind"],
        description=match["description"].strip(),
        required=match["default"] is None and match["optional"] is None,
        low=low,
        high=high,
        choices=choices,
    )
    if match["default"] is None:
        return param
    return replace(param, default=param.value(match["default"].strip().strip("'")))


def _text(raw: object) -> str:
    """Return a text; a whole number as its digits. One with a point may have lost zeros: 1.10 is 1.1 in JSON.

    A text of which nothing can be seen is none: every name would contain it.
    """
    if type(raw) is int:
        raw = str(raw)
    if not isinstance(raw, str) or len(raw) > LONGEST_TEXT or not fold_text(raw) or "\0" in raw:
        raise ValueError(raw)
    return raw


def _version(raw: object) -> str:
    text = _text(raw)
    if not _VERSION.match(text):
        raise ValueError(raw)
    return text


def _int(raw: object) -> int:
    if isinstance(raw, bool) or (isinstance(raw, float) and not raw.is_integer()):
        raise ValueError(raw)
    number = int(raw) if isinstance(raw, str | int | float) else int(str(raw))
    if abs(number) >= 2**63:
        raise ValueError(raw)
    return number


def _float(raw: object) -> float:
    if isinstance(raw, bool):
        raise ValueError(raw)
    number = float(str(raw))
    if number - number != 0:  # NaN and the infinities
        raise ValueError(raw)
    return number


def _bool(raw: object) -> bool:
    return raw if isinstance(raw, bool) else _BOOLEANS[str(raw).strip().lower()]


def _date(raw: object) -> date:
    return raw if type(raw) is date else date.fromisoformat(str(raw).strip())


def _time(raw: object) -> datetime:
    """Return a moment as naive UTC."""
    now = datetime.now(UTC)
    if isinstance(raw, date) and not isinstance(raw, datetime):
        raw = datetime.combine(raw, time())
    found = read_moment(raw.isoformat() if isinstance(raw, datetime) else str(raw), now)
    if found > naive_utc(now):
        raise ValueError(raw)
    return found


_READERS: Mapping[str, Callable[[object], Any]] = {
    "text": _text,
    "version": _version,
    "enum": _text,
    "int": _int,
    "float": _float,
    "bool": _bool,
    "date": _date,
    "time": _time,
}
_WORDS = {
    "text": f"a text of 1 to {LONGEST_TEXT:,} characters",
    "version": "a version such as 14.0 or 130.0.6723",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "date": "a date such as 2026-11-20",
    "time": "how long ago (24h, 2d, 1mo, 1y), yesterday, today, or a time such as 2026-11-20T12:00, not in the future",
}


def parameters_in(sql: str) -> tuple[str, ...]:
    """Return the names of the ``$name`` parameters of a statement, each once, as they come."""
    return tuple(dict.fromkeys(_USED.findall(_NOT_CODE.sub(" ", sql))))


class CliText(str):
    """A text from a command line, for a statement that declares no types: it may stand for a number, true or false.

    A text adapts to what it is compared with, as a literal in quotes does: ``7`` to a number, ``2026-11-20`` to a date,
    ``15.10`` stays what it is beside a version. So a value is bound as its text, and only where a number is computed
    with, which a text cannot be, as the number.
    """

    __slots__ = ()


def read_cli_value(text: str) -> object:
    """Return the value to bind first: ``null``, lists, objects and texts in double quotes are read as JSON."""
    value = _parsed(text) if text == "null" or text[:1] in {"[", "{", '"'} else text
    return CliText(text) if value is text else value


def readings(params: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """Yield the values as they are; and once more with the texts that are numbers, true or false as what they are."""
    yield params
    typed = {name: _parsed(value) if isinstance(value, CliText) else value for name, value in params.items()}
    if any(typed[name] is not params[name] for name in params):
        yield typed


def _parsed(text: str) -> object:
    """Return the JSON value; the same text where it is none."""
    try:
        return json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return text


def _no_number(name: str) -> object:
    raise ValueError(name)  # NaN and the infinities are words here
