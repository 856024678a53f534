"""One setting as a record: its name, its type and bounds, and who may set it."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from kandji_schema.errors import ConfigurationError
from kandji_schema.files import is_address

PREFIX = "KANDJI_"
TRUE_WORDS = {"1", "true", "yes", "on"}
FALSE_WORDS = {"0", "false", "no", "off"}


class Trust(IntEnum):
    """Which source is trusted with a setting.

    Whoever gives you a folder writes its ``.env``, so that may do little. Whoever starts a program for you, such as an
    AI client with a shell, sets its environment, so that may not do everything.
    """

    FOLDER = 0
    """``.env`` in the working directory, the environment, ``config.toml``."""

    USER = 1
    """The environment and ``config.toml``."""

    OWNER = 2
    """``config.toml`` in the configuration folder alone."""


class _Wrong(ValueError):
    """Says what a value must be."""


@dataclass(frozen=True)
class Setting:
    """One setting. ``default`` also tells its type; ``low`` and ``high`` bound a number, ``choices`` a text.

    ``path`` is that of a file or folder of this machine.
    """

    name: str
    default: str | int | float | bool
    help: str
    choices: tuple[str, ...] = ()
    low: float = 0
    high: float = float("inf")
    secret: bool = False
    path: bool = False
    trust: Trust = Trust.USER

    @property
    def key(self) -> str:
        """Attribute of ``Settings`` and key of ``config.toml``: ``KANDJI_MIRROR_HOME`` -> ``mirror_home``."""
        return self.name.removeprefix(PREFIX).lower()

    @property
    def meaning(self) -> str:
        """The help text with the values it takes."""
        taken = f" One of: {', '.join(self.choices)}." if self.choices else ""
        return f"{self.help}{taken}"

    def parse(self, raw: object, place: str = "") -> Any:
        """Return the value in its type; :class:`ConfigurationError` names value, rule, remedy and ``place``."""
        try:
            return self._parsed(raw)
        except _Wrong as wrong:
            shown = "its value" if self.secret else repr(str(raw))
            where = f" in {place}" if place else ""
            raise ConfigurationError(
                f"{self.name} is {shown}; it must be {wrong}. Change or remove it{where}."
            ) from wrong.__cause__

    def _parsed(self, raw: object) -> Any:
        if isinstance(self.default, bool):
            return self._flag(raw)
        if isinstance(self.default, int | float):
            return self._number(raw)
        value = str(raw).strip()
        if self.path and is_address(value):
            raise _Wrong("a path of this machine, and no address")
        return self._choice(value) if self.choices else value

    def _choice(self, value: str) -> str:
        """Return one of the choices, in any case; where they are on and off, in any of the words for these."""
        word = value.lower()
        if word not in self.choices and {"on", "off"} == set(self.choices):
            word = "on" if word in TRUE_WORDS else "off" if word in FALSE_WORDS else word
        if word not in self.choices:
            raise _Wrong(f"one of {', '.join(self.choices)}")
        return word

    def _flag(self, raw: object) -> bool:
        word = str(raw).strip().lower()
        if word not in TRUE_WORDS | FALSE_WORDS:
            raise _Wrong("on or off")
        return word in TRUE_WORDS

    def _number(self, raw: object) -> int | float:
        whole = "whole " if isinstance(self.default, int) else ""
        rule = f"a {whole}number from {self.low:.15g} to {self.high:.15g}"
        try:
            value = int(str(raw)) if isinstance(self.default, int) else float(str(raw))
        except ValueError as error:
            raise _Wrong(rule) from error
        if not self.low <= value <= self.high:
            raise _Wrong(rule)
        return value
