"""How the provider's spellings of a value become ours, as DuckDB expressions.

``from_json`` reads every field as text or JSON (``raw_type``), because its own casts turn what does not fit into NULL
without a word. A :class:`Field` then gives the values, and what to keep in ``extra`` when there was something in it but
no value came of it.
"""

from dataclasses import dataclass

from kandji_schema.columns import Column, Kind

# "2022-08-15 13:51:01 +0000" is the one spelling of the provider that DuckDB's own cast refuses.
_ZONE = r"regexp_replace({raw}, ' ([+-]\d\d):?(\d\d)$', '\1:\2')"
_CASTS = {
    Kind.BOOLEAN: "TRY_CAST({raw} AS BOOLEAN)",
    # The cast alone would round 12.7 and read 0x10.
    Kind.INTEGER: "CASE WHEN TRY_CAST({raw} AS DOUBLE) = TRY_CAST({raw} AS BIGINT) THEN TRY_CAST({raw} AS BIGINT) END",
    Kind.NUMBER: "CASE WHEN isfinite(TRY_CAST({raw} AS DOUBLE)) THEN TRY_CAST({raw} AS DOUBLE) END",
    # As TIMESTAMPTZ in a UTC session: a plain TIMESTAMP cast would drop the offset. Words ("infinity") are no moments.
    Kind.TIMESTAMP: "CASE WHEN {raw} BETWEEN '0' AND ':' "
    f"THEN coalesce(TRY_CAST({{raw}} AS TIMESTAMPTZ), TRY_CAST({_ZONE} AS TIMESTAMPTZ))::TIMESTAMP END",
}
_JSON_CASTS = {
    Kind.TEXTS: "CASE WHEN json_type({raw}) = 'ARRAY' THEN from_json({raw}, '[\"VARCHAR\"]') END",
    Kind.DOCUMENT: "CASE WHEN json_type({raw}) <> 'NULL' AND {raw} <> '\"\"' THEN {raw} END",
}


@dataclass(frozen=True)
class Leftover:
    """``content`` is what to keep where ``condition`` holds; both are SQL expressions."""

    condition: str
    content: str


@dataclass(frozen=True)
class Field:
    """One top-level field of the provider's row, and the columns read from it.

    ``members`` are the columns taken from inside the object (``user.email``), ``plain`` the one taken from the field
    itself, if any.
    """

    name: str
    plain: Column | None
    members: tuple[tuple[str, Column], ...]

    @property
    def raw_type(self) -> str:
        """Type ``from_json`` reads the field as."""
        return "JSON" if self.members or (self.plain and self.plain.kind in _JSON_CASTS) else "VARCHAR"

    @property
    def raw(self) -> str:
        """The field as an SQL identifier."""
        return f'"{self.name}"'

    def value(self, column: Column, source: str) -> str:
        """Expression of the column's value when it is read from ``source`` in this field."""
        if "." in source:
            return _from_text(f"{self.raw} ->> '$.{source.split('.', 1)[1]}'", column.kind)
        if self.members:
            return _from_text(f"CASE WHEN {self._scalar} THEN {self.raw} ->> '$' END", column.kind)
        if self.raw_type == "JSON":
            return _JSON_CASTS[column.kind].format(raw=self.raw)
        return _from_text(self.raw, column.kind)

    def leftover(self, value: str) -> Leftover | None:
        """What ``extra`` has to keep of this field; None where nothing is ever left.

        ``value`` is an expression of the plain column's value, so that it need not be worked out twice.
        """
        if self.members:
            return self._leftover_of_object()
        if self.plain is None or self.plain.kind is Kind.TEXT:
            return None
        if self.raw_type == "JSON":
            return Leftover(f"({value} IS NULL AND {self._present})", self.raw)
        return Leftover(f"({value} IS NULL AND {self.raw} <> '')", f"to_json({self.raw})")

    def _leftover_of_object(self) -> Leftover:
        taken = ", ".join(f'"{path}": null' for path, _ in self.members)
        rest = f"nullif(json_merge_patch({self.raw}, '{{{taken}}}'), '{{}}')"
        unread = f"{self._present} AND NOT {self._scalar}" if self.plain else self._present
        is_object = f"json_type({self.raw}) = 'OBJECT'"
        return Leftover(
            f"CASE WHEN {is_object} THEN {rest} IS NOT NULL ELSE {unread} END",
            f"CASE WHEN {is_object} THEN {rest} ELSE {self.raw} END",
        )

    @property
    def _present(self) -> str:
        return f"({self.raw} IS NOT NULL AND json_type({self.raw}) <> 'NULL' AND {self.raw} <> '\"\"')"

    @property
    def _scalar(self) -> str:
        return f"(json_type({self.raw}) NOT IN ('OBJECT', 'ARRAY', 'NULL'))"


def _from_text(raw: str, kind: Kind) -> str:
    if kind is Kind.TEXT:
        return f"nullif({raw}, '')"
    return _CASTS[kind].format(raw=f"({raw})")


def fields_of(columns: tuple[Column, ...]) -> tuple[Field, ...]:
    """The provider's fields that these columns are read from, in order of first use."""
    plain: dict[str, Column] = {}
    members: dict[str, list[tuple[str, Column]]] = {}
    names: dict[str, None] = {}
    for column in columns:
        for source in column.sources:
            head, _, path = source.partition(".")
            names[head] = None
            if path:
                members.setdefault(head, []).append((path, column))
            else:
                plain[head] = column
    return tuple(Field(name, plain.get(name), tuple(members.get(name, ()))) for name in names)
