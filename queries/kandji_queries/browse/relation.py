"""A table or view as it is browsed: its columns by what can be asked of them, and the order of its rows."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property
from typing import TYPE_CHECKING

from kandji_queries import definitions
from kandji_queries.catalog.dictionary import ColumnInfo, TableInfo
from kandji_queries.relations import AS_OF
from kandji_schema.derived import derived_columns
from kandji_schema.errors import UnknownName
from kandji_schema.registry import resources
from kandji_schema.sql import fold_name, identifier

if TYPE_CHECKING:
    from kandji_queries.reader import Reader

USUAL = 12
"""Most columns that are shown where none were chosen."""

FIRST = (
    *("changed_at", "removed_at", "recorded_at", "device_name", "name", "username", "common_name"),
    *("profile_display_name", "cve_id", "serial_number"),
)
"""Columns that people know a row by: they are shown first."""

FLAGS = ("is_removed", "is_missing", "archived")
"""Columns that say of a device or person what some would not count: that is told with every number of rows."""

LAST = ("last_collected_at",)
"""Columns that say of when a row is: they are shown last."""


class Values(StrEnum):
    """What the values of a column are, for asking about them."""

    TEXT = "text"
    VERSION = "version"
    NUMBER = "number"
    MOMENT = "moment"
    BOOLEAN = "boolean"
    TEXTS = "texts"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True)
class Field:
    """One column; ``type`` is DuckDB's name."""

    name: str
    type: str
    description: str
    values: Values

    @classmethod
    def of(cls, column: ColumnInfo) -> "Field":
        """Make it of what the dictionary says."""
        return cls(column.name, column.type, column.description, _values(column))


@dataclass(frozen=True)
class Relation:
    """A table or view. ``key`` are the columns that order its rows, each with whether the greatest comes first.

    ``has_past`` says that it can be shown as it was; ``devices`` is how many devices the mirror has.
    """

    info: TableInfo
    fields: Mapping[str, Field]
    key: tuple[tuple[str, bool], ...]
    has_past: bool
    devices: int = 0

    @property
    def name(self) -> str:
        """What it is called."""
        return self.info.name

    @property
    def is_view(self) -> bool:
        """Whether it is made anew each time it is asked."""
        return self.info.kind == "view"

    @cached_property
    def flags(self) -> tuple[str, ...]:
        """The columns among :data:`FLAGS` that it has."""
        return tuple(name for name in FLAGS if name in self.fields and self.fields[name].values is Values.BOOLEAN)

    @cached_property
    def usual(self) -> tuple[str, ...]:
        """The columns that are shown where none were chosen: those people know a row by, no documents, no ids."""
        first = [name for name in FIRST if name in self.fields]
        others = [name for name in self.fields if name not in first]
        telling = [name for name in others if name not in LAST and not self._hidden(name)]
        last = [name for name in LAST if name in self.fields]
        return (*[*first, *telling][: USUAL - len(last)], *last) or tuple(self.fields)

    def field(self, name: str) -> Field:
        """Return a column; :class:`UnknownName` with the nearest ones."""
        if name not in self.fields:
            raise UnknownName(f"column of {self.name}", name, self.fields)
        return self.fields[name]

    def _hidden(self, name: str) -> bool:
        """Tell whether people seldom look at it, or another column says the same in their words."""
        named = f"{name.removesuffix('_id')}_name"
        is_named = name.endswith("_id") and named in self.fields and not named.startswith(_SELDOM)
        is_named |= name == "device_id" and "serial_number" in self.fields
        is_copy = name == "tags" and "device_family" in self.fields  # of the device, and mostly empty here
        return self.fields[name].values is Values.DOCUMENT or is_named or is_copy or name.startswith(_SELDOM)


def find_relation(reader: "Reader", name: str) -> Relation:
    """Return the table or view of that name, in any letter case; :class:`UnknownName` with the nearest names."""
    infos = {info.name: info for info in reader.tables()}
    folded = fold_name(name)
    if folded not in infos:
        reader.describe(name)  # says why not
        raise UnknownName("table", name, infos)
    fields = {field.name: field for field in _fields(reader, folded)}
    key = tuple((column, most) for column, most in _key(folded) if column in fields)
    return Relation(
        infos[folded],
        fields,
        key or tuple((column, False) for column in fields),
        f"{folded}{AS_OF}" in reader.functions(),
        infos["devices"].rows or 0,
    )


def _fields(reader: "Reader", name: str) -> Iterator[Field]:
    """Yield the columns with what they mean by their definition: to read it in the data files takes much longer."""
    view, declared = definitions.views().get(name), resources().get(name)
    words = _words_of(name) if declared else {**_passed_words(), **(view.columns if view else {})}
    for column, kind, *_ in reader.run(f"DESCRIBE {identifier(name)}").rows:
        yield Field.of(ColumnInfo(column, kind, words.get(column, "")))


def _words_of(table: str) -> Mapping[str, str]:
    stored = {column.name: column.description for column in resources()[table].columns}
    return {**stored, **{column.name: column.description for column in derived_columns(table)}}


@cache
def _passed_words() -> Mapping[str, str]:
    """Return what columns mean that a view passes on, those of ``devices`` before others."""
    tables = sorted(resources(), key=lambda table: (table != "devices", table), reverse=True)
    return {column: text for table in tables for column, text in _words_of(table).items()}


_SELDOM = (
    *(
        "extra",
        "asset_tag",
        "model_id",
        "created_at",
        "updated_at",
        "last_changed_at",
        "device_family",
        "supplemental_",
    ),
    *("bundle_name", "bundle_display_name", "bundle_type", "bundle_region", "short_version", "previous_hash", "log"),
    *("dynamic_size", "deprecated_", "user_is_archived", "api_level", "security_patch_level"),
)
"""How columns begin that few people look at."""


def _key(name: str) -> tuple[tuple[str, bool], ...]:
    view = definitions.views().get(name)
    if view:
        return view.key
    declared = resources().get(name)
    return tuple((column, False) for column in (*declared.key, *declared.key_fallback)) if declared else ()


_NUMBER = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL.*")
_MOMENT = re.compile(r"TIMESTAMP.*(?<!\])|DATE")


def _values(column: ColumnInfo) -> Values:
    if column.type == "VARCHAR":
        return Values.VERSION if column.name.endswith("version") else Values.TEXT
    if column.type in _BY_TYPE:
        return _BY_TYPE[column.type]
    if _NUMBER.fullmatch(column.type):
        return Values.NUMBER
    return Values.MOMENT if _MOMENT.fullmatch(column.type) else Values.DOCUMENT


_BY_TYPE = {"BOOLEAN": Values.BOOLEAN, "VARCHAR[]": Values.TEXTS}
