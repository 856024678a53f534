"""Frameworks: which rules of compliance a control is measured by. Data in TOML files, read and checked here.

Of the published frameworks only the identifiers of their controls stand in our files; titles are our own words. One of
one's own has the same shape::

    name = "Security baseline"
    edition = "2026"

    [[control]]
    id = "B-1"
    title = "Disks are encrypted"
    measured = "FileVault is on, as each Mac last reported it."
    rules = ["filevault_on"]

In place of ``rules`` a control of one's own may have ``sql``: a statement with the columns ``device_id``, ``day`` and
``result`` (true and false, or pass, fail and unknown), which is given ``$first_day`` and ``$last_day``.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from kandji_schema.errors import ConfigurationError
from kandji_schema.files import read_small_text
from kandji_schema.text import is_unfit

FOLDER = Path(__file__).parent / "frameworks"

KEYS = ("name", "edition", "control")
CONTROL_KEYS = ("id", "title", "measured", "rules", "sql")

LONGEST = 2_000
"""Most characters of a text in a framework; a statement may have ten times as many."""

MOST = 500
"""Most controls."""


@dataclass(frozen=True)
class Control:
    """One control: its ``id`` in the framework, what it asks in our words, and a sentence how it is measured.

    It is measured by ``rules``, of which a device fails the control by any and passes it by all that are for its
    platform, or by ``sql`` of one's own.
    """

    id: str
    title: str
    measured: str
    rules: tuple[str, ...] = ()
    sql: str = ""


@dataclass(frozen=True)
class Framework:
    """The controls of one file. ``is_ours`` tells a file of the package from one's own."""

    path: Path
    name: str
    edition: str
    controls: tuple[Control, ...]
    is_ours: bool

    def refuse_unknown_rules(self, known: Iterable[str]) -> None:
        """:class:`ConfigurationError` for a rule that is not in force, in a file of one's own.

        Ours name the built-in rules, which a file of rules may replace: their controls are then told as not measured.
        """
        names = sorted(known)
        for control in self.controls if not self.is_ours else ():
            for rule in control.rules:
                if rule not in names:
                    near = get_close_matches(rule, names, n=3, cutoff=0.6)
                    raise _Place(self.path, control.id).wrong("rules", rule, f"one of {', '.join(near or names)}")


@dataclass(frozen=True)
class _Place:
    """Where in a file something stands: ``control 3.6`` or ``control number 3``."""

    path: Path
    control: str = ""

    def wrong(self, key: str, value: object, must: str) -> ConfigurationError:
        where = f", control {self.control}" if self.control else ""
        shown = repr(value)
        return ConfigurationError(
            f"{self.path}{where}: {key} is {shown if len(shown) <= 200 else f'{shown[:200]}...'}; it must be {must}."
        )


def built_in() -> list[str]:
    """Return the names of the frameworks of the package."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def read_framework(named: str) -> Framework:
    """Read the framework of that name, or a file that ends in ``.toml``.

    :class:`ConfigurationError` names file, control, key, value and rule.
    """
    if named.strip().lower() in built_in():
        return _read(FOLDER / f"{named.strip().lower()}.toml", is_ours=True)
    if not named.lower().endswith(".toml") or "\0" in named:
        raise ConfigurationError(
            f"--framework {named[:200]!r} is none that is built in. Name one of {', '.join(built_in())}, or a file of "
            "your own that ends in .toml; docs/evidence.md has its shape."
        )
    return _read(Path(named).expanduser(), is_ours=False)


def _read(path: Path, *, is_ours: bool) -> Framework:
    try:
        document = tomllib.loads(read_small_text(path))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigurationError(f"The framework {path} cannot be read: {reason}. Correct the file.") from error
    place = _Place(path)
    _refuse_unknown_keys(place, document, KEYS)
    entries = document.get("control")
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise place.wrong("control", entries, "[[control]] tables, at least one")
    if len(entries) > MOST:
        raise place.wrong("control", f"{len(entries)} tables", f"{MOST} tables at most")
    controls = tuple(_control(path, number, entry) for number, entry in enumerate(entries, 1))
    seen: set[str] = set()
    for number, control in enumerate(controls, 1):
        if control.id in seen:
            raise _Place(path, f"number {number}").wrong("id", control.id, "one that no other control has")
        seen.add(control.id)
    name, edition = _text(place, document, "name"), _text(place, document, "edition", "")
    return Framework(path, name, edition, controls, is_ours)


def _control(path: Path, number: int, entry: Mapping[str, Any]) -> Control:
    place = _Place(path, f"number {number}")
    identifier = _text(place, entry, "id")
    place = _Place(path, identifier)
    _refuse_unknown_keys(place, entry, CONTROL_KEYS)
    if ("rules" in entry) == ("sql" in entry):
        raise place.wrong("rules", entry.get("rules"), "there, or sql in its place, and not both")
    return Control(
        id=identifier,
        title=_text(place, entry, "title"),
        measured=_text(place, entry, "measured"),
        rules=_rules(place, entry["rules"]) if "rules" in entry else (),
        sql=_text(place, entry, "sql", most=10 * LONGEST, keep="\n\t") if "sql" in entry else "",
    )


def _refuse_unknown_keys(place: _Place, entry: Mapping[str, Any], known: Iterable[str]) -> None:
    for key in entry:
        if key not in known:
            raise place.wrong("a key", key, f"one of {', '.join(known)}")


def _text(
    place: _Place, entry: Mapping[str, Any], key: str, default: str | None = None, most: int = LONGEST, keep: str = ""
) -> str:
    value = entry.get(key, default)
    if not isinstance(value, str) or len(value) > most or is_unfit(value, keep=keep):
        raise place.wrong(key, value, f"a text of at most {most:,} characters that can be seen")
    if default is None and not value.strip():
        raise place.wrong(key, value, "a text that says something")
    return value.strip()


def _rules(place: _Place, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(name, str) for name in value):
        raise place.wrong("rules", value, 'a list of names of compliance rules, such as ["filevault_on"]')
    return tuple(dict.fromkeys(value))
