"""Arguments of live actions: what each takes, how a value is checked, and what the provider calls it."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from uuid import UUID

from kandji_schema.errors import UsageError
from kandji_schema.text import escaped, is_unfit

LONGEST = 1_000
"""Characters of a text. The provider publishes no limit; a lock screen shows a few hundred."""

MOST_TEXTS = 100

_PIN = re.compile(r"[0-9]{6}")
_FLAGS = MappingProxyType({"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False})


class Kind(StrEnum):
    """What values an argument takes."""

    TEXT = "text"
    LINES = "text with line breaks"
    PIN = "six digits"
    ID = "identifier"
    FLAG = "true or false"
    TEXTS = "list of texts"


@dataclass(frozen=True, kw_only=True)
class Argument:
    """One argument. ``key`` is the provider's name in the body; a dot steps into an object.

    ``always`` is sent where no value is given; None leaves the key out. ``clearable`` takes an empty text for "none".
    ``secret`` values never get into a file, a log or a preview; ``personal`` ones are about people. An argument with
    ``platforms`` is refused on others. ``sample`` is a value for examples.
    """

    name: str
    key: str
    description: str
    kind: Kind = Kind.TEXT
    required: bool = False
    always: bool | None = None
    clearable: bool = False
    secret: bool = False
    personal: bool = False
    choices: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    longest: int = LONGEST
    sample: str = ""

    def example(self) -> str:
        """Return a value as somebody types it: the ``sample``, else one of its kind; ``-`` where nobody may see it."""
        kinds = {Kind.FLAG: "true", Kind.ID: "0f8fad5b-d9cb-469f-a165-70867728950e"}
        return "-" if self.secret else self.sample or next(iter(self.choices), kinds.get(self.kind, "Call IT"))

    def read(self, value: object) -> Any:
        """Return the value as the provider takes it; :class:`UsageError` names the rule, and what is not secret."""
        if self.clearable and self.kind is not Kind.TEXTS and value == "":
            return None
        return _READERS[self.kind](self, value)

    def rule(self) -> str:
        """Say what values it takes."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        return f"{self.kind}, empty for none" if self.clearable else str(self.kind)

    def schema(self) -> Mapping[str, Any]:
        """Return the values as a JSON schema."""
        kinds: dict[Kind, dict[str, Any]] = {
            Kind.FLAG: {"type": "boolean"},
            Kind.TEXTS: {"type": "array", "items": {"type": "string"}},
        }
        kind = kinds.get(self.kind, {"type": "string"})
        limits = {"enum": list(self.choices)} if self.choices else {}
        return {**kind, **limits, "description": self.description}

    def wrong(self, value: object, rule: str) -> UsageError:
        """Return the refusal of a value."""
        shown = "Its value" if self.secret else escaped(repr(value))
        shown = shown if len(shown) <= 80 else f"{shown[:80]}..."
        return UsageError(f"{self.name}: {shown} is not {rule}. Nothing was sent.")


def _text(argument: Argument, value: object, *, lines: bool = False) -> str:
    if not isinstance(value, str):
        raise argument.wrong(value, "a text")
    if not value.strip():
        raise argument.wrong(value, "a text with something in it")
    if len(value) > argument.longest:
        raise argument.wrong(value, f"at most {argument.longest:,} characters long (it has {len(value):,})")
    if is_unfit(value, keep="\n" if lines else ""):
        raise argument.wrong(value, "free of control and invisible characters, and of code points without one")
    if argument.choices and value not in argument.choices:
        raise argument.wrong(value, argument.rule())
    return value


def _lines(argument: Argument, value: object) -> str:
    return _text(argument, value, lines=True)


def _pin(argument: Argument, value: object) -> str:
    if not (isinstance(value, str) and _PIN.fullmatch(value)):
        raise argument.wrong(value, "a text of six digits")
    return value


def _identifier(argument: Argument, value: object) -> str:
    if not is_uuid(value):
        raise argument.wrong(value, "an identifier such as 5344c996-8823-4b37-8d6e-8515fc7c3a0a")
    return str(value).lower()


def _flag(argument: Argument, value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in _FLAGS:
        return _FLAGS[value.lower()]
    raise argument.wrong(value, "true or false")


def _texts(argument: Argument, value: object) -> list[str]:
    given = _split(value) if isinstance(value, str) else value
    if not isinstance(given, list) or len(given) > MOST_TEXTS:
        raise argument.wrong(value, f"a list of at most {MOST_TEXTS} texts")
    return [_text(argument, item) for item in given]


def _split(text: str) -> object:
    """Split ``a, b`` as on a command line; a JSON list where a text has a comma in it."""
    try:
        return json.loads(text) if text.lstrip().startswith("[") else [v.strip() for v in text.split(",") if v.strip()]
    except ValueError:
        return None


def is_uuid(value: object) -> bool:
    """Tell whether a value is an identifier of the provider in its one plain spelling, 8-4-4-4-12."""
    try:
        return isinstance(value, str) and str(UUID(value)) == value.lower()
    except ValueError:
        return False


_READERS: Mapping[Kind, Callable[[Argument, object], Any]] = MappingProxyType(
    {
        Kind.TEXT: _text,
        Kind.LINES: _lines,
        Kind.PIN: _pin,
        Kind.ID: _identifier,
        Kind.FLAG: _flag,
        Kind.TEXTS: _texts,
    }
)
