"""How the provider's spellings of a value become ours, as DuckDB expressions.

``from_json`` reads every field as text or JSON (``raw_type``), because its own casts turn what does not fit into NULL
without a word. A :class:`Field` then gives the values, and what to keep in ``extra`` when there was something in it but
no value came of it.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from kandji_schema.columns import Column, Kind

# "2022-08-15 13:51:01 +0000" is the one spelling of the provider that DuckDB's own cast refuses.
_ZONE = r"regexp_replace({raw}, ' ([+-]\d\d):?(\d\d)$', '\1:\2')"
# As TIMESTAMPTZ in a UTC session: a plain TIMESTAMP cast would drop the offset. Words ("infinity") are no moments.
_MOMENT = (
    "CASE WHEN {raw} BETWEEN '0' AND ':' "
    f"THEN coalesce(TRY_CAST({{raw}} AS TIMESTAMPTZ), TRY_CAST({_ZONE} AS TIMESTAMPTZ))::TIMESTAMP END"
)
# Before year 1 and after 9999 readers would get a text: no calendar of theirs has such a moment.
_DATED = "CASE WHEN {raw} BETWEEN TIMESTAMP '0001-01-01' AND TIMESTAMP '9999-12-31 23:59:59.999999' THEN {raw} END"
_CASTS = {
    Kind.BOOLEAN: "TRY_CAST({raw} AS BOOLEAN)",
    # The cast alone would round 12.7 and read 0x10.
    Kind.INTEGER: "CASE WHEN TRY_CAST({raw} AS DOUBLE) = TRY_CAST({raw} AS BIGINT) THEN TRY_CAST({raw} AS BIGINT) END",
    Kind.NUMBER: "CASE WHEN isfinite(TRY_CAST({raw} AS DOUBLE)) THEN TRY_CAST({raw} AS DOUBLE) END",
}
_JSON_CASTS = {
    Kind.TEXTS: "CASE WHEN json_type({raw}) = 'ARRAY' THEN from_json({raw}, '[\"VARCHAR\"]') END",
    Kind.DOCUMENT: "CASE WHEN json_type({raw}) <> 'NULL' AND {raw} <> '\"\"' THEN {raw} END",
}

Known = Callable[[Column, str], str]
"""Gives an expression of a column's value as it is read from one source: worked out already, where it can be."""


@dataclass(frozen=True)
class Leftover:
    """``content`` is the JSON to keep where ``condition`` holds; both are SQL expressions."""

    condition: str
    content: str


@dataclass(frozen=True)
class Field:
    """One top-level field of the provider's row, and the columns read from it.

    ``plain`` are the columns read from the field itself, ``members`` those from inside the object, by the path below
    the field: ``user.email`` is ``email`` of the field ``user``, and a path may have more steps.
    """

    name: str
    plain: tuple[Column, ...]
    members: Mapping[str, tuple[Column, ...]]

    @cached_property
    def raw_type(self) -> str:
        """Type ``from_json`` reads the field as."""
        return "JSON" if self.members or any(c.kind in _JSON_CASTS for c in self.plain) else "VARCHAR"

    @property
    def raw(self) -> str:
        """The field as an SQL identifier."""
        return f'"{self.name}"'

    def moments(self) -> Iterator[tuple[str, str]]:
        """Sources of moments in this field, each with the expression that :meth:`value` expects under its name."""
        if any(c.kind is Kind.TIMESTAMP for c in self.plain):
            yield self.name, _MOMENT.format(raw=f"({self._plain_text})")
        for path, columns in self.members.items():
            if any(c.kind is Kind.TIMESTAMP for c in columns):
                yield f"{self.name}.{path}", _MOMENT.format(raw=self._at(path, ">>"))

    def value(self, column: Column, source: str) -> str:
        """Expression of the column's value when it is read from ``source`` in this field.

        It needs the :meth:`moments` as columns beside the fields: what takes long to work out is named twice.
        """
        if column.kind is Kind.TIMESTAMP:
            return _DATED.format(raw=moment_alias(source))
        _, _, path = source.partition(".")
        is_json = column.kind in _JSON_CASTS
        if path:
            return _from_json(self._at(path), column.kind) if is_json else _from_text(self._at(path, ">>"), column.kind)
        return _from_json(self.raw, column.kind) if is_json else _from_text(self._plain_text, column.kind)

    @property
    def _plain_text(self) -> str:
        """The field itself as text, NULL where it is no scalar."""
        return (
            self.raw if self.raw_type == "VARCHAR" else f"CASE WHEN {_is_scalar(self.raw)} THEN {self.raw} ->> '$' END"
        )

    def leftover(self, known: Known) -> Leftover | None:
        """What ``extra`` has to keep of this field; None where nothing is ever left."""
        if self._held_whole or not (self.plain or self.members):
            return None
        unread = " AND ".join(f"{known(c, self.name)} IS NULL" for c in self.plain) or "true"
        if self.members:
            return self._leftover_of_object(unread, known)
        if self.raw_type == "JSON":
            return Leftover(f"({unread} AND {_is_present(self.raw)})", self.raw)
        return Leftover(f"({unread} AND {self.raw} <> '')", f"to_json({self.raw})")

    @property
    def _held_whole(self) -> bool:
        """Whether some column takes whatever the field holds."""
        return any(_takes_all(c) and (c.kind is Kind.DOCUMENT or self.raw_type == "VARCHAR") for c in self.plain)

    def _leftover_of_object(self, unread: str, known: Known) -> Leftover:
        is_object, rest = f"json_type({self.raw}) = 'OBJECT'", self._rest(self.raw, "", known)
        unread = f"{unread} AND {_is_present(self.raw)} AND {self.raw} <> '[]'"
        return Leftover(
            f"CASE WHEN {is_object} THEN {rest} IS NOT NULL ELSE {unread} END",
            f"CASE WHEN {is_object} THEN {rest} ELSE {self.raw} END",
        )

    def _rest(self, holder: str, above: str, known: Known) -> str:
        """Expression of an object without the members that became values; NULL where nothing is left of it."""
        names = dict.fromkeys(
            path.removeprefix(above).partition(".")[0] for path in self.members if _is_in(path, above)
        )
        kept = {name: self._kept(above + name, known) for name in names}
        taken = _quote(json.dumps(dict.fromkeys(names)))
        back = ", ".join(f"{_quote(name)}, {left}" for name, left in kept.items() if left)
        return f"nullif(json_merge_patch('{{}}', json_merge_patch({holder}, {taken}), json_object({back})), '{{}}')"

    def _kept(self, path: str, known: Known) -> str | None:
        """Expression of what is left of one member; None where nothing ever is."""
        columns, member = self.members.get(path, ()), self._at(path)
        if any(map(_takes_all, columns)):
            return None
        unread = [f"{known(c, f'{self.name}.{path}')} IS NULL" for c in columns]
        odd = f"CASE WHEN {' AND '.join([*unread, _is_present(member)])} AND {member} <> '[]' THEN {member} END"
        if not any(_is_in(other, f"{path}.") for other in self.members):
            return odd
        return f"CASE json_type({member}) WHEN 'OBJECT' THEN {self._rest(member, f'{path}.', known)} ELSE {odd} END"

    def _at(self, path: str, arrow: str = ">") -> str:
        steps = "".join(f'."{step}"' for step in path.split("."))
        return f"({self.raw} -{arrow} '${steps}')"


def moment_alias(source: str) -> str:
    """Name of the moment read from a source, beside the raw fields."""
    return f'"~ {source}"'


def _takes_all(column: Column) -> bool:
    return column.kind in (Kind.TEXT, Kind.DOCUMENT)


def _is_in(path: str, above: str) -> bool:
    return path.startswith(above)


def _is_present(raw: str) -> str:
    return f"({raw} IS NOT NULL AND json_type({raw}) <> 'NULL' AND {raw} <> '\"\"')"


def _is_scalar(raw: str) -> str:
    return f"(json_type({raw}) NOT IN ('OBJECT', 'ARRAY', 'NULL'))"


def _from_json(raw: str, kind: Kind) -> str:
    return _JSON_CASTS[kind].format(raw=raw)


def _from_text(raw: str, kind: Kind) -> str:
    if kind is Kind.TEXT:
        return f"nullif({raw}, '')"
    return _CASTS[kind].format(raw=f"({raw})")


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def fields_of(columns: tuple[Column, ...]) -> tuple[Field, ...]:
    """The provider's fields that these columns are read from, in order of first use."""
    found: dict[str, dict[str, list[Column]]] = {}
    for column, source in _sources(columns):
        head, _, path = source.partition(".")
        found.setdefault(head, {}).setdefault(path, []).append(column)
    return tuple(_field(name, reads) for name, reads in found.items())


def _sources(columns: tuple[Column, ...]) -> Iterator[tuple[Column, str]]:
    return ((column, source) for column in columns for source in column.sources)


def _field(name: str, reads: Mapping[str, list[Column]]) -> Field:
    members = {path: tuple(columns) for path, columns in reads.items() if path}
    return Field(name, tuple(reads.get("", ())), members)
