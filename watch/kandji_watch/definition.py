"""Checks as they are written: ``checks.toml`` in the data directory, and the built-in ones that it switches on.

::

    tell = ["ops"]

    [target.ops]
    kind = "slack"
    url = "env:OPS_WEBHOOK"

    [check.macs_without_filevault]      # a built-in one, as it is

    [check.many_local_accounts]         # one of one's own
    sql = "SELECT device_id, count(*) AS accounts FROM prism_local_users GROUP BY ALL HAVING accounts > 5"
    when = "any"

The file is used only where nobody else could have written it: a target may be a command. One check that is wrong is
told and takes no other along; a file that is no TOML is an error as a whole.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from kandji_schema.errors import ConfigurationError
from kandji_schema.folders import CHECKS_FILE
from kandji_schema.ownership import refuse_replaceable
from kandji_schema.privacy import Privacy
from kandji_watch.conditions import CONDITION_KEYS, Condition, read_condition, read_tables
from kandji_watch.place import Place, Table
from kandji_watch.schedule import Quiet, Schedule, read_quiet, read_schedule, read_zone
from kandji_watch.secret_values import is_private
from kandji_watch.targets import Target, read_target

LARGEST = 1_000_000
"""Bytes of the file; a larger one is something else."""

SEVERITIES = ("info", "warning", "critical")
COMMON_KEYS = ("tell", "timezone", "quiet", "pages", "rows", "target", "check")
CHECK_KEYS = (
    *("title", "severity", *CONDITION_KEYS, "key", "columns", "every", "at", "timezone", "quiet", "tell", "personal"),
    *("ended", "rows", "enabled", "needs"),
)
FIXED = ("query", "sql", "when", "number")
"""Keys of a built-in check that stay as they are: with others it would be another check."""

BUILT_IN = Path(__file__).parent / "built_in"

_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
_NAME_RULE = "a small letter, then small letters, digits and _, 60 at most"


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check. ``tell`` are names of targets, ``key`` the columns that name a row, ``columns`` those that are told.

    Both are empty where they follow from the answer. ``personal`` reads names where the privacy mode lets people see
    them, ``ended`` tells what ended too, ``rows`` is how many rows a text has at most. Where a table that it ``needs``
    was never read nothing is known, not even that nothing is wrong.
    """

    name: str
    title: str
    severity: str
    condition: Condition
    schedule: Schedule
    quiet: Quiet | None
    tell: tuple[str, ...]
    key: tuple[str, ...]
    columns: tuple[str, ...]
    personal: bool
    ended: bool
    rows: int
    needs: tuple[str, ...]


@dataclass(frozen=True)
class CheckFile:
    """What a file says. ``broken`` has what is wrong with a check or target, by ``check NAME`` or ``target NAME``.

    ``pages`` is the address at which people reach the pages of ``serve``; empty where it is not known. ``names`` are
    all checks that are written there, those that are wrong or not enabled too.
    """

    path: Path
    checks: Mapping[str, Check] = field(default_factory=dict)
    targets: Mapping[str, Target] = field(default_factory=dict, repr=False)
    broken: Mapping[str, str] = field(default_factory=dict)
    pages: str = ""
    names: frozenset[str] = frozenset()


def checks_path(home: Path) -> Path:
    """Return the file of a data directory."""
    return home / CHECKS_FILE


def read_checks(home: Path, privacy: Privacy = Privacy.OFF) -> CheckFile:
    """Read the checks of a data directory, none where there is no file.

    :class:`ConfigurationError` where others could have written the file, it is no TOML, or what is common is wrong.
    """
    path = checks_path(home)
    if not path.exists():
        return CheckFile(path)
    refuse_replaceable(path)
    document = _document(path)
    common = Place(path, "at the top")
    common.refuse_unknown(document, COMMON_KEYS)
    reading = _Reading(path, document, privacy)
    return reading.file()


@cache
def built_in() -> Mapping[str, Table]:
    """Return the checks that are there to be switched on, as they are written, by name."""
    return {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(BUILT_IN.glob("*.toml"))}


def _document(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > LARGEST:
            raise ConfigurationError(f"{path} is larger than {LARGEST:,} bytes, so it is no file of checks.")
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        why = getattr(error, "strerror", None) or (error if isinstance(error, tomllib.TOMLDecodeError) else None)
        raise ConfigurationError(
            f"{path} cannot be read as TOML: {why or 'it is no text in UTF-8, or nested beyond reason'}. Correct it."
        ) from None  # a line of it may hold a secret


class _Reading:
    """One reading of a file."""

    def __init__(self, path: Path, document: dict[str, Any], privacy: Privacy) -> None:
        self._path = path
        self._private = is_private(path)
        self._privacy = privacy
        common = Place(path, "at the top")
        self._tables = {kind: common.table(document, kind) for kind in ("target", "check")}
        self._zone = read_zone(common, document)
        self._quiet = read_quiet(common, document, self._zone, None)
        self._rows = common.whole(document, "rows", 10, 1, 50)
        self._tell = common.texts(document, "tell")
        self._pages = common.text(document, "pages", "").rstrip("/")
        if self._pages and not re.fullmatch(r"https?://[^\s\"'<>]+", self._pages):
            raise common.wrong(
                "pages", self._pages, "the address of the pages of `serve`, such as https://mirror.example"
            )
        self._broken: dict[str, str] = {}
        self._targets: dict[str, Target] = {}

    def file(self) -> CheckFile:
        for name, table in self._tables["target"].items():
            self._try("target", name, table, self._target)
        checks: dict[str, Check] = {}
        for name, table in self._tables["check"].items():
            found = self._try("check", name, table, self._check)
            if isinstance(found, Check):
                checks[name] = found
        names = frozenset(self._tables["check"])
        return CheckFile(self._path, checks, self._targets, self._broken, self._pages, names)

    def _try(self, kind: str, name: str, table: object, read: Any) -> object:
        part = f"{kind} {name if _NAME.fullmatch(name) else ascii(name)[:80]}"
        place = Place(self._path, part)
        try:
            if not _NAME.fullmatch(name):
                raise place.wrong("its name", name, _NAME_RULE)
            if not isinstance(table, dict):
                raise place.wrong("it", table, f"a table: [{kind}.{name}]")
            return read(place, name, table)
        except ConfigurationError as error:
            self._broken[part] = str(error)
            return None

    def _target(self, place: Place, name: str, table: Table) -> Target:
        self._targets[name] = read_target(place, name, table, private=self._private)
        return self._targets[name]

    def _check(self, place: Place, name: str, table: Table) -> Check | None:
        place.refuse_unknown(table, CHECK_KEYS)
        if not place.flag(table, "enabled", True):
            return None
        ready = built_in().get(name)
        if ready is not None:
            for key in FIXED:
                if key in table:
                    raise place.wrong(key, table[key], f"left out: {name} is a built-in check; name yours otherwise")
            params = {**place.table(ready, "params"), **place.table(table, "params")}
            table = {**ready, **table, **({"params": params} if params else {})}
            if "at" in table and "every" in ready and "every" not in self._tables["check"][name]:
                table = {key: value for key, value in table.items() if key != "every"}
        elif not {"query", "sql", "when"} & table.keys():
            if get_close_matches(name, built_in(), n=1):
                raise place.unknown("its name", name, built_in())
            raise place.missing("query", "the name of a query; or sql, a statement; or the check is a built-in one")
        return self._read(place, name, table)

    def _read(self, place: Place, name: str, table: Table) -> Check:
        zone = read_zone(place, table, self._zone)
        return Check(
            name=name,
            title=place.text(table, "title", name.replace("_", " ").capitalize()),
            severity=place.choice(table, "severity", SEVERITIES, "warning"),
            condition=read_condition(place, table),
            schedule=read_schedule(place, table, zone),
            quiet=read_quiet(place, table, zone, self._quiet),
            tell=self._told(place, table),
            key=place.texts(table, "key"),
            columns=place.texts(table, "columns"),
            personal=self._personal(place, table),
            ended=place.flag(table, "ended", True),
            rows=place.whole(table, "rows", self._rows, 1, 50),
            needs=read_tables(place, table, "needs"),
        )

    def _told(self, place: Place, table: Table) -> tuple[str, ...]:
        names = tuple(dict.fromkeys(place.texts(table, "tell", self._tell)))
        for name in names:
            if f"target {name}" in self._broken:
                raise place.wrong("tell", name, "a target that is right; this one is wrong, as is told beside it")
            if name not in self._targets:
                raise place.unknown("tell", name, self._targets)
        return names

    def _personal(self, place: Place, table: Table) -> bool:
        personal = place.flag(table, "personal", False)
        if personal and self._privacy.masks(personal=True):
            raise place.wrong("personal", True, "false: KANDJI_MIRROR_PRIVACY is on, so nobody sees personal data")
        return personal
