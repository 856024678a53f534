"""Maps of assets: which columns another system's importer wants, as data in a TOML file, read and checked here.

A map that comes with the mirror is named, ``snipe-it``; one of somebody's own is a path, ``./own.toml``. The header of
``maps/generic.toml`` explains the format.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kandji_schema.errors import ConfigurationError, UnknownName
from kandji_schema.files import read_small_text
from kandji_schema.near_names import near

FOLDER = Path(__file__).with_name("maps")
SUFFIX = ".toml"

KEYS = ("title", "key", "with_gone", "column", "values", "models")
COLUMN_KEYS = ("name", "from", "constant", "values", "otherwise", "as", "required", "counts_as_change")
MODEL_KEYS = ("name", "number")
FORMS = ("date", "lower", "local_part", "whole")
"""How a value may be written: the day of a time, in small letters, an address without its domain, a whole number."""

LONGEST = 1_000_000
"""Most characters of a file."""


@dataclass(frozen=True, kw_only=True)
class MapColumn:
    """One column of the file. Its value is the first of ``sources`` that has one, or the ``constant``.

    ``values`` replaces values, in any letter case; one that is not there is ``otherwise``, or stays what it is.
    ``form`` is one of :data:`FORMS`. A row that has nothing in a ``required`` column is left out. A column that does
    not ``count`` makes no row a changed one.
    """

    name: str
    sources: tuple[str, ...] = ()
    constant: str | None = None
    values: Mapping[str, str] | None = None
    otherwise: str | None = None
    form: str | None = None
    required: bool = False
    counts: bool = True


@dataclass(frozen=True)
class Model:
    """What the other system calls a model; None is what the provider calls it."""

    name: str | None
    number: str | None


@dataclass(frozen=True)
class AssetMap:
    """A map, checked but for the names of the columns it takes values from, which the list of assets knows.

    ``key`` are columns of the file by which the other system tells assets apart. ``with_gone`` is whether devices that
    are listed no longer are in the file.
    """

    name: str
    path: Path
    title: str
    columns: tuple[MapColumn, ...]
    key: tuple[str, ...]
    with_gone: bool
    models: Mapping[str, Model]

    def wrong(self, where: str, key: str, value: object, must: str) -> ConfigurationError:
        """Return the error of a value that does not follow its rule."""
        return _wrong(self.path, where, key, value, must)

    def unknown(self, where: str, key: str, value: str, known: Iterable[str]) -> ConfigurationError:
        """Return the error of a name that does not exist, with the nearest ones."""
        return _unknown(self.path, where, key, value, known)


def built_in() -> tuple[str, ...]:
    """Return the names of the maps that come with the mirror."""
    return tuple(sorted(path.stem for path in FOLDER.glob(f"*{SUFFIX}")))


def read_map(asked: str) -> AssetMap:
    """Return the map of that name, or in the file of that path.

    :class:`UnknownName` for a name there is not; :class:`ConfigurationError` names file, key, value and rule.
    """
    path = _path(asked)
    document = _document(path)
    _refuse_unknown(path, "the map", document, KEYS)
    values = _value_tables(path, document.get("values", {}))
    columns = tuple(_columns(path, document.get("column"), values))
    return AssetMap(
        name=re.sub(r"[^\w.-]", "_", path.stem)[:60],
        path=path,
        title=_text(path, "the map", document, "title"),
        columns=columns,
        key=_key(path, document.get("key"), [column.name for column in columns]),
        with_gone=_flag(path, "the map", document, "with_gone", False),
        models=_models(path, document.get("models", {})),
    )


def _path(asked: str) -> Path:
    if asked in built_in():
        return FOLDER / f"{asked}{SUFFIX}"
    try:
        own = Path(asked).expanduser()
        found = own.is_file()
    except (OSError, RuntimeError, ValueError):
        own, found = Path(), False
    if found:
        return own
    if asked.removesuffix(SUFFIX) in built_in():
        return FOLDER / f"{asked.removesuffix(SUFFIX)}{SUFFIX}"
    raise UnknownName("map, nor file of one,", asked, built_in())


def _document(path: Path) -> dict[str, Any]:
    import tomllib  # only exports by a map need it

    try:
        text = read_small_text(path)
        if len(text) > LONGEST:
            raise ValueError(f"it has {len(text):,} characters, and {LONGEST:,} are the most")
        return tomllib.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"The map {path} cannot be read: {error}. Correct the file.") from error


def _value_tables(path: Path, tables: object) -> dict[str, dict[str, str]]:
    if not isinstance(tables, dict):
        raise _wrong(path, "the map", "values", tables, "tables such as [values.status]")
    for name, table in tables.items():
        if not isinstance(table, dict) or not all(isinstance(value, str) for value in table.values()):
            raise _wrong(path, f"values.{name}", "values", table, 'texts for texts, such as enrolled = "Deployed"')
    return {name: {key.strip().lower(): value for key, value in table.items()} for name, table in tables.items()}


def _columns(path: Path, entries: object, values: Mapping[str, Mapping[str, str]]) -> Iterator[MapColumn]:
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise _wrong(path, "the map", "column", entries, "[[column]] tables, at least one")
    seen: set[str] = set()
    for number, entry in enumerate(entries, start=1):
        name = _text(path, f"column {number}", entry, "name")
        if name.lower() in seen:
            raise _wrong(path, f"column {number}", "name", name, "the name of no other column")
        seen.add(name.lower())
        yield _column(path, f"column {name}", name, entry, values)


def _column(
    path: Path, where: str, name: str, entry: Mapping[str, Any], values: Mapping[str, Mapping[str, str]]
) -> MapColumn:
    _refuse_unknown(path, where, entry, COLUMN_KEYS)
    if ("from" in entry) == ("constant" in entry):
        raise _wrong(path, where, "from", entry.get("from"), "there, or `constant` in its place, and not both")
    table = _optional(path, where, entry, "values")
    if table is not None and table not in values:
        raise _unknown(path, where, "values", table, values)
    form = _optional(path, where, entry, "as")
    if form is not None and form not in FORMS:
        raise _unknown(path, where, "as", form, FORMS)
    otherwise = _optional(path, where, entry, "otherwise")
    if otherwise is not None and table is None:
        raise _wrong(path, where, "otherwise", otherwise, "beside `values`, of which it is for all others")
    return MapColumn(
        name=name,
        sources=_sources(path, where, entry["from"]) if "from" in entry else (),
        constant=_text(path, where, entry, "constant") if "constant" in entry else None,
        values=values[table] if table is not None else None,
        otherwise=otherwise,
        form=form,
        required=_flag(path, where, entry, "required", False),
        counts=_flag(path, where, entry, "counts_as_change", True),
    )


def _sources(path: Path, where: str, value: object) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not names or not all(isinstance(name, str) and name for name in names):
        raise _wrong(path, where, "from", value, "a column of asset_list, or a list of them")
    return tuple(names)


def _key(path: Path, value: object, known: Sequence[str]) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise _wrong(path, "the map", "key", value, 'a list of columns of the map, such as ["Serial Number"]')
    for name in names:
        if name not in known:
            raise _unknown(path, "the map", "key", name, known)
    return tuple(names)


def _models(path: Path, entries: object) -> dict[str, Model]:
    if not isinstance(entries, dict):
        raise _wrong(path, "the map", "models", entries, "a table [models]")
    found = {}
    for identifier, entry in entries.items():
        where = f"models.{identifier}"
        if not isinstance(entry, dict):
            raise _wrong(path, where, identifier, entry, '{ name = "...", number = "..." }, one of them or both')
        _refuse_unknown(path, where, entry, MODEL_KEYS)
        found[identifier] = Model(*(_optional(path, where, entry, key) for key in MODEL_KEYS))
    return found


def _text(path: Path, where: str, entry: Mapping[str, Any], key: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not value.strip() or "\0" in value or not value.isprintable():
        raise _wrong(path, where, key, value, "a text of one line that is not empty")
    return value


def _optional(path: Path, where: str, entry: Mapping[str, Any], key: str) -> str | None:
    return _text(path, where, entry, key) if key in entry else None


def _flag(path: Path, where: str, entry: Mapping[str, Any], key: str, default: bool) -> bool:
    value = entry.get(key, default)
    if not isinstance(value, bool):
        raise _wrong(path, where, key, value, "true or false")
    return value


def _refuse_unknown(path: Path, where: str, entry: Mapping[str, Any], known: Sequence[str]) -> None:
    for key in entry:
        if key not in known:
            raise _unknown(path, where, "key", key, known)


def _wrong(path: Path, where: str, key: str, value: object, must: str) -> ConfigurationError:
    shown = repr(value)
    shown = shown if len(shown) <= 80 else f"{shown[:80]}..."
    return ConfigurationError(f"{path}, {where}: {key} is {shown}; it must be {must}.")


def _unknown(path: Path, where: str, key: str, value: str, known: Iterable[str]) -> ConfigurationError:
    return ConfigurationError(f"{path}, {where}: there is no {key} {near(value, known)[1]}")
