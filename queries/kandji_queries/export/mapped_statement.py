"""The list of assets as a map wants it, in SQL: which values, which rows, and what tells a changed row from another.

Each row has a hash of its columns that count, so that what changed is what has a hash that was not there before. The
values of a map stand in the statement as literals, and the guard checks it like anyone's.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kandji_queries.catalog.queries import named
from kandji_queries.export.asset_map import AssetMap, MapColumn
from kandji_queries.relations import AS_OF
from kandji_queries.results.values import ResultColumn
from kandji_schema.sql import identifier, literal

LIST = "asset_list"
"""The named query that has the assets."""

HASH = "row_hash"

_OWN = ("model_name", "model_number")
"""Columns that a map has besides those of the list: by its own [models], else as the provider says."""

_RANKS = "list_position(['enrolled', 'missing', 'removed', 'gone'], status)"
"""Of several devices with one key the one that is in use is the asset."""

FEED = "device_models"
"""The table of a public feed that names models; it is read only where it was ever filled."""

_BY_FEED = f"SELECT any_value(m.marketing_name) FROM {FEED} AS m WHERE m.model_identifier = listed.model_identifier"

_TEXTS = re.compile(r"VARCHAR|ENUM\(.*")
_FORMS: Mapping[str, tuple[re.Pattern[str], str, str]] = {
    "date": (re.compile(r"TIMESTAMP.*|DATE"), "{v}::DATE", "a time"),
    "whole": (re.compile(r".*INT|DOUBLE|FLOAT|DECIMAL.*"), "round({v})::BIGINT", "a number"),
    "lower": (_TEXTS, "lower({v})", "a text"),
    "local_part": (_TEXTS, "split_part({v}, '@', 1)", "a text"),
}


@dataclass(frozen=True)
class Past:
    """The same list at the moment ``$changed_since``: of ``tables`` it is known how they were."""

    tables: Sequence[str]


@dataclass(frozen=True)
class MappedStatement:
    """The statements of a map over a list of these ``columns``. ``with_removed`` is whether removed devices count.

    ``feed`` is whether a public feed was read that names models, for those that the provider has no name for.
    """

    asset_map: AssetMap
    columns: Sequence[ResultColumn]
    with_removed: bool = True
    feed: bool = False
    past: Past | None = None

    def every_row(self) -> str:
        """Return the statement of hash, required column that is empty, place among those of its key, and whether gone.

        One row a device; ``changed`` is whether it is another than at the moment of the past.
        """
        return f"{self._with()}\nSELECT {HASH}, lacking, place, gone, {self._changed} AS changed FROM mapped"

    def rows(self, condition: str = "true") -> str:
        """Return the statement of the rows of the file."""
        cells = ", ".join(f"c{n} AS {identifier(column.name)}" for n, column in enumerate(self.asset_map.columns))
        kept = f"lacking IS NULL AND place = 1 AND {self._changed} AND {condition}"
        return f"{self._with()}\nSELECT {cells} FROM mapped WHERE {kept} ORDER BY serial_number, device_id"

    def refuse_unknown(self) -> None:
        """:class:`ConfigurationError` where the map names a column that there is not, or writes one as it cannot be."""
        known = {column.name: column.type for column in self.columns} | dict.fromkeys(_OWN, "VARCHAR")
        for column in self.asset_map.columns:
            where = f"column {column.name}"
            for source in column.sources:
                if source not in known:
                    raise self.asset_map.unknown(where, "column of asset_list", source, known)
                kinds, _, needs = _FORMS.get(column.form or "", (re.compile(".*"), "", ""))
                if not kinds.fullmatch(known[source]):
                    raise self.asset_map.wrong(
                        where, "as", column.form, f"for {needs}, and {source} is {known[source]}"
                    )

    @property
    def _changed(self) -> str:
        same = f"SELECT {HASH} FROM mapped_before WHERE lacking IS NULL AND place = 1"
        return f"{HASH} NOT IN ({same})" if self.past else "true"

    def _with(self) -> str:
        sql = named(LIST).sql
        parts = [f"mapped AS ({self._mapped(sql)})"]
        if self.past:
            parts.append(f"mapped_before AS ({self._mapped(_as_it_was(sql, self.past.tables))})")
        return "WITH " + ",\n".join(parts)

    def _mapped(self, sql: str) -> str:
        columns = self.asset_map.columns
        cells = ", ".join(f"{_value(column)} AS c{n}" for n, column in enumerate(columns))
        counting = [f"c{n}::VARCHAR" for n, column in enumerate(columns) if column.counts]
        needed = [(f"c{n}", c.name) for n, c in enumerate(columns) if c.required or c.name in self.asset_map.key]
        lacking = " ".join(f"WHEN {_empty(cell)} THEN {literal(name)}" for cell, name in needed)
        key = ", ".join(f"lower(trim({cell}::VARCHAR))" for cell, name in needed if name in self.asset_map.key)
        counted = "" if self.with_removed else " WHERE NOT coalesce(is_removed, false)"
        return f"""
            SELECT *,
                md5(to_json([{", ".join(counting)}]::VARCHAR[])::VARCHAR) AS {HASH},
                CASE {lacking} END AS lacking,
                row_number() OVER (
                    PARTITION BY {key} ORDER BY rank, last_check_in DESC NULLS LAST, device_id
                ) AS place
            FROM (
                SELECT {cells}, device_id, serial_number, last_check_in, {_RANKS} AS rank, status = 'gone' AS gone
                FROM (SELECT *, {self._models} FROM (\n{sql}\n) AS listed{counted})
            )"""

    @property
    def _models(self) -> str:
        def chosen(which: str, other: str) -> str:
            pairs = ((i, getattr(model, which)) for i, model in self.asset_map.models.items())
            whens = " ".join(f"WHEN {literal(i)} THEN {literal(value)}" for i, value in pairs if value is not None)
            return f"coalesce(CASE model_identifier {whens} END, {other})" if whens else other

        name = f"coalesce(model, ({_BY_FEED}))" if self.feed else "model"
        return f"{chosen('name', name)} AS model_name, {chosen('number', 'model_identifier')} AS model_number"


def _value(column: MapColumn) -> str:
    """Return the expression of a column's value: of one source of its type, of several and of replaced ones a text."""
    if column.constant is not None:
        return literal(column.constant)
    sources = [identifier(name) for name in column.sources]
    value = sources[0] if len(sources) == 1 else f"coalesce({', '.join(map(_text, sources))})"
    if column.form:
        value = _FORMS[column.form][1].format(v=value)
    if column.values is None:
        return value
    whens = " ".join(f"WHEN {literal(old)} THEN {literal(new)}" for old, new in column.values.items())
    otherwise = f"{value}::VARCHAR" if column.otherwise is None else literal(column.otherwise)
    return f"CASE lower(trim({value}::VARCHAR)) {whens} ELSE {otherwise} END" if whens else otherwise


def _text(cell: str) -> str:
    return f"nullif(trim({cell}::VARCHAR), '')"


def _empty(cell: str) -> str:
    return f"{_text(cell)} IS NULL"


def _as_it_was(sql: str, tables: Sequence[str]) -> str:
    """Return the query over these tables, and over what was gone, as they were at the moment."""
    for table in tables:
        sql = re.sub(rf"\b(FROM|JOIN) (?:main\.)?{table}\b", rf"\1 {table}{AS_OF}($changed_since)", sql)
    return re.sub(r"\bFROM removed_rows\b", "FROM (FROM removed_rows WHERE removed_at <= $changed_since)", sql)
