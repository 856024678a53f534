"""Where settings come from: the environment, ``.env`` in the working directory, ``config.toml`` of the owner.

Each source is read as a whole into texts by the name of the setting. What a source may set is decided by whom it can
come from, see :class:`~kandji_schema.setting.Trust`: a ``.env`` comes with a folder, so whoever sent the folder wrote
it. It is read from the working directory alone, never from a folder above, and nothing of it gets into the environment.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from enum import Enum
from pathlib import Path

from kandji_schema.errors import ConfigurationError
from kandji_schema.folders import CONFIG_FILE
from kandji_schema.ownership import refuse_removable, strangers
from kandji_schema.profiles import TENANT, TENANTS, tables_of
from kandji_schema.setting import PREFIX, Setting, Trust

_LARGEST_DOTENV = 1_000_000  # bytes; the folder may be anyone's
_NEAR = 0.7
_PREFIXES = re.compile(r"^(?:K[A-Z]{2,7}_)?(?:MIR+OR?_)?")
"""What all names share, rightly written or not: what is left tells them apart."""

_LIKE_OURS = re.compile(r"K[A-Z]{2,7}_|MIRROR_")


class Kind(Enum):
    """The kinds of sources, with how far each is trusted."""

    ENVIRONMENT = "the environment", Trust.USER
    FOLDER = ".env", Trust.FOLDER
    CONFIG = CONFIG_FILE, Trust.OWNER
    PROGRAM = "this program", Trust.OWNER
    DEFAULT = "default", Trust.OWNER

    @property
    def trust(self) -> Trust:
        """What a source of this kind may set at most."""
        return self.value[1]


@dataclass(frozen=True)
class Origin:
    """Where one value comes from; ``place`` is the environment or a file, as people are told."""

    kind: Kind
    place: str


PROGRAM = Origin(Kind.PROGRAM, "the command line")
DEFAULT = Origin(Kind.DEFAULT, "default")


@dataclass(frozen=True)
class Remark:
    """What a person has to know of a source. ``grave``: a setting they meant to set is not set."""

    text: str
    grave: bool = False


@dataclass(frozen=True)
class Source:
    """One source: ``values`` by name of the setting, of what it may set alone and never empty.

    ``doubted`` are the texts of settings that it seems to mean and does not set, by their names. ``tables`` are the
    sources that ``config.toml`` has for tenants, by name, see :mod:`kandji_schema.profiles`.
    """

    origin: Origin
    values: Mapping[str, object] = field(default_factory=dict, repr=False)
    remarks: tuple[Remark, ...] = ()
    doubted: Mapping[str, str] = field(default_factory=dict, repr=False)
    tables: "Mapping[str, Source]" = field(default_factory=dict, repr=False)

    @property
    def trusted(self) -> bool:
        """Whether the user, and not whoever made the working directory, wrote it."""
        return self.origin.kind.trust >= Trust.USER


@dataclass(frozen=True)
class Provenance:
    """Where the settings come from. ``origins`` are by key; a key without one was given by the program.

    ``owners`` is the tenant that ``config.toml`` or, without one there, the environment names: the one that a token
    stored without its tenant belongs to. ``withheld`` are places of tokens that belong to other tenants than the one
    named. ``profiles`` are the tenants that have a name. ``refusal`` is why nothing may be done with these settings at
    all.
    """

    origins: Mapping[str, Origin] = field(default_factory=dict)
    remarks: tuple[Remark, ...] = ()
    owners: str | None = None
    withheld: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    refusal: str | None = None


def environment(environ: Mapping[str, str], settings: Iterable[Setting]) -> Source:
    """Read the variables that are settings, with remarks about those that nearly are."""
    return _source(Origin(Kind.ENVIRONMENT, "the environment"), environ, tuple(settings))


def dotenv(folder: Path | None, settings: Iterable[Setting]) -> Source:
    """Read ``.env`` in ``folder``; empty where there is none, and with a remark where others may have written it."""
    path = folder / ".env" if folder else None
    origin = Origin(Kind.FOLDER, str(path))
    if path is None or not path.is_file():
        return Source(origin)
    try:
        strange = strangers(path)
        if strange:
            return Source(origin, remarks=(Remark(f"{path} is not read: {strange}.", grave=True),))
        if path.stat().st_size > _LARGEST_DOTENV:
            return Source(origin, remarks=(Remark(f"{path} is not read: it is larger than 1 MB.", grave=True),))
        values = _parsed(path)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} cannot be read as text: {error}. Correct it or remove it.") from error
    return _source(origin, values, tuple(settings))


def _parsed(path: Path) -> Mapping[str, str]:
    from dotenv import dotenv_values  # only where there is a file

    found = dotenv_values(path, interpolate=False, encoding="utf-8-sig")
    return {name: value for name, value in found.items() if value is not None}


def config(path: Path | None, settings: Iterable[Setting]) -> Source:
    """Read the owner's file; empty where there is none. :class:`ConfigurationError` where others may have written it.

    That is also so where it is not there and others may write its folder: they may have removed it.
    Unlike in the other sources a name that is no setting is an error: this file has nothing but settings.
    """
    origin = Origin(Kind.CONFIG, str(path or CONFIG_FILE))
    if path is None:
        return Source(origin)
    try:
        refuse_removable(path)
        values = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return Source(origin)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} cannot be read as TOML: {error}. Correct it or remove it.") from error
    tables = tables_of(str(path), values.pop(TENANTS, {}))
    known = {s.key: s.name for s in settings}
    return replace(
        _of_file(origin, values, known),
        tables={name: _of_table(str(path), name, table, known) for name, table in tables.items()},
    )


def _of_table(path: str, name: str, table: Mapping[str, object], known: Mapping[str, str]) -> Source:
    of_one = {key: full for key, full in known.items() if full != TENANT}
    return _of_file(Origin(Kind.CONFIG, f"{path} [{TENANTS}.{name}]"), table, of_one)


def _of_file(origin: Origin, values: Mapping[str, object], known: Mapping[str, str]) -> Source:
    _refuse_unknown(origin.place, values, tuple(known))
    return Source(origin, {known[key]: value for key, value in values.items() if _given(value)})


def _refuse_unknown(path: str, values: Mapping[str, object], known: Sequence[str]) -> None:
    unknown = sorted(set(values) - set(known))
    if unknown:
        near = [hit for name in unknown for hit in get_close_matches(name, known, n=1, cutoff=_NEAR)]
        hint = f" Did you mean {', '.join(near)}?" if near else ""
        raise ConfigurationError(
            f"{path} has no setting {', '.join(unknown)}.{hint} `kandji-mirror settings` lists them all."
        )


def _source(origin: Origin, raw: Mapping[str, str], settings: tuple[Setting, ...]) -> Source:
    """Return what it may set, remarks about the rest, and settings it seems to mean without setting them."""
    given = {s: raw[s.name] for s in settings if _given(raw.get(s.name))}
    allowed = {s.name: value for s, value in given.items() if origin.kind.trust >= s.trust}
    ignored = [s.name for s in given if s.name not in allowed]
    near = _nearly(raw, tuple(s.name for s in settings))
    remarks = [Remark(_not_counting(origin, ignored), grave=True)] if ignored else []
    remarks += [
        Remark(
            f"{name} in {origin.place} is no setting{f'; did you mean {meant}?' if meant else '.'} It does nothing.",
            grave=bool(meant) or name.startswith(f"{PREFIX}MIRROR_"),
        )
        for name, meant in near.items()
    ]
    doubted = {name: raw[name] for name in ignored} | {meant: raw[name] for name, meant in near.items() if meant}
    return Source(origin, allowed, tuple(remarks), doubted)


def _not_counting(origin: Origin, names: Sequence[str]) -> str:
    """Write one sentence about settings that a source may not set."""
    where = "config.toml in the configuration folder"
    if origin.kind is Kind.FOLDER:
        return (
            f"{origin.place} sets {', '.join(names)}, which is ignored: a file in the working directory may name a "
            f"tenant with its token and limits of answers alone. Put the rest into {where} or the environment."
        )
    return f"{', '.join(names)} in {origin.place} is ignored: it counts in {where} alone."


def _nearly(raw: Mapping[str, str], known: Sequence[str]) -> dict[str, str | None]:
    """Find names that are no setting but look like one, with the nearest there is."""
    stems = {_PREFIXES.sub("", name): name for name in known}
    found: dict[str, str | None] = {}
    for name in raw:
        upper = name.upper()
        if name in known or not _LIKE_OURS.match(upper):
            continue
        exact = upper.startswith("MIRROR_")  # other tools have such names too
        nearest = get_close_matches(_PREFIXES.sub("", upper), stems, n=1, cutoff=1.0 if exact else _NEAR)
        if nearest or upper.startswith(f"{PREFIX}MIRROR_"):
            found[name] = stems[nearest[0]] if nearest else None
    return found


def _given(value: object) -> bool:
    return value is not None and bool(str(value).strip())
