"""What is said of a column, an alias or a table that is not there, and the statement that was probably meant."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from kandji_queries.advice.finding import LONGEST, NAMED, Finding, shown
from kandji_queries.advice.grouping import counted_rows
from kandji_queries.advice.joins import ambiguous, unjoined
from kandji_queries.advice.meant import columns_meant, tables_meant
from kandji_queries.advice.nearest import (
    FIRST,
    SURE,
    Columns,
    either,
    elsewhere,
    listed,
    nearest_columns,
    nearest_tables,
)
from kandji_queries.advice.pieces import without_texts
from kandji_queries.advice.spelling import straight_quotes
from kandji_queries.lineage import tree
from kandji_queries.lineage.tree import Node
from kandji_schema.sql import fold_name, literal

_MISSING = re.compile(
    r'Binder Error: (?:Referenced column "(?P<a>[^"\n]+)" not found'
    r'|(?:Table|Values list) "(?P<of>[^"\n]+)" does not have a column named "(?P<b>[^"\n]+)"'
    r'|Column "(?P<c>[^"\n]+)" (?:in \w+ list not found|does not exist))'
)
_NO_ALIAS = re.compile(r'Binder Error: Referenced table "(?P<name>[^"\n]+)" not found')
_LIKE = re.compile(r"^(!?~~\*?|!?~~~|(not_)?i?like\w*)$")
_PLACE = re.compile(r"\nLINE \d+:([^\n]*)\n[^\n]*")

PARTS = frozenset({"year", "quarter", "month", "week", "day", "hour", "minute", "second"})
"""Parts of a date, which other dialects write without quotes."""

FIXES = 3
"""Most names of one statement that are mended one after the other."""


@dataclass(frozen=True)
class NameAdviser:
    """Advice about one statement. ``used`` are the columns of the tables it reads, ``others`` those of all."""

    sql: str
    root: Node
    used: Columns
    others: Columns

    def finding(self, error: str) -> Finding | None:
        """Return what to say of the engine's error; None where it is about something else."""
        if alias := _NO_ALIAS.match(error):
            return self._no_alias(alias["name"])
        if several := ambiguous(error):
            return self._ambiguous(*several)
        if len(self.sql) <= LONGEST and (apart := unjoined(self.sql, error, self._aliases(), self.used)):
            return apart
        found = _MISSING.match(error)
        if found is None or not self.used:
            return None
        name = found["a"] or found["b"] or found["c"]
        if any(fold_name(name) in names for names in self.used.values()):
            # it is there, but not where it was looked for
            return self._not_of_alias(fold_name(found["of"]), name) if found["of"] else None
        return self._no_column(name)

    def _no_column(self, name: str) -> Finding:
        begins = f"There is no column {shown(name)} in {' or '.join(self.used)}."
        others = {table: names for table, names in self.others.items() if table not in self.used}
        if text := self._text_meant(name):
            return Finding(f"{begins} {text[0]}", text[1])
        if fold_name(name) in PARTS:
            part = f"'{fold_name(name)}'"
            return Finding(f"{begins} A part of a date is a text: {part}.", self._renamed(name, part))
        if fold_name(name) == "count" and len(self.sql) <= LONGEST:
            return Finding(f"{begins} The number of rows is count(*).", counted_rows(self.sql))
        if meant := columns_meant(name, self.used):
            return self._renaming(begins, name, meant)
        near = nearest_columns(name, self.used, surely=bool(elsewhere(name, others, surely=True)))
        wanted = columns_meant(name, others)
        if near and not (wanted and not _in_words(name, near)):
            names = {full.rpartition(".")[2] for full in near}
            return Finding(f"{begins} Did you mean {either(near)}?", self._renamed(name, *names))
        if other := elsewhere(name, others, surely=True) or wanted or elsewhere(name, others):
            where = f" There is {either(other)}" + self._joined_by(other) + "."
            mended = self._from_fleet(name, other[:1] if other is wanted else other)
            return Finding(f"{begins}{where}", mended, self._short_lists())
        return Finding(begins, "", " ".join(f"{table} has {listed(names)}." for table, names in self.used.items()))

    def _renaming(self, begins: str, name: str, meant: Sequence[str]) -> Finding:
        """Return the finding for a word of people: the best of what it means is put in its place."""
        return Finding(f"{begins} Did you mean {either(meant)}?", self._renamed(name, meant[0].rpartition(".")[2]))

    def _text_meant(self, name: str) -> tuple[str, str] | None:
        """Return what to say of a name that was meant as a text, as it is compared with a column, and the statement."""
        if not name.isascii() and len(self.sql) <= LONGEST and (straight := straight_quotes(self.sql)) != self.sql:
            return "A text stands in straight single quotes.", straight
        compared = compared_names(self.root)
        quoted = len(name) <= NAMED and f'"{name}"' in self.sql
        if _surely(name, self.used):
            return None
        if fold_name(name) not in compared and not (quoted and not nearest_columns(name, self.used)):
            return None
        known = {column for names in self.used.values() for column in names}
        wanted = {fold_name(name)} | {other for other in compared if other not in known}

        def as_text(parts: Sequence[str], text: str) -> str:
            if len(parts) != 1 or parts[0] not in wanted:
                return text
            part = text.strip('"')
            return literal(f"%{part}%" if compared.get(parts[0]) else part)  # a pattern without % finds that only

        words = f"A text stands in single quotes: {as_text([fold_name(name)], name)}"
        return f"{words}; in double quotes it is the name of a column." if quoted else f"{words}.", self._edited(
            as_text
        )

    def _ambiguous(self, name: str, full: Sequence[str]) -> Finding:
        def edit(parts: Sequence[str], text: str) -> str:
            return f"{full[0].rpartition('.')[0]}.{text}" if list(parts) == [fold_name(name)] else text

        return Finding(f"Several tables have a column {name}: write {either(full)}.", self._edited(edit))

    def _not_of_alias(self, alias: str, name: str) -> Finding | None:
        """Return what was meant by ``u.user_id`` where the table has no such column, but another of the statement."""
        aliases = self._aliases()
        table = aliases.get(alias, "")
        if not self.used.get(table):
            return None
        begins = f"{alias} ({table}) has no column {name}" if alias != table else f"{table} has no column {name}"
        own = self.used[table]
        if "id" in own and fold_name(name) == f"{table.removesuffix('s')}_id":
            return Finding(f"{begins}; there it is {alias}.id.", self._of_alias(alias, name, f"{alias}.id"))
        if meant := columns_meant(name, {table: own}):
            column = meant[0].rpartition(".")[2]
            return Finding(f"{begins}. Did you mean {meant[0]}?", self._of_alias(alias, name, f"{alias}.{column}"))
        holders = [other for other, of in aliases.items() if fold_name(name) in self.used.get(of, ())]
        there = [f"{other}.{name}" for other in holders]
        mended = self._of_alias(alias, name, there[0]) if len(there) == 1 else ""
        return Finding(f"{begins}; there is {either(there)}.", mended) if there else None

    def _of_alias(self, alias: str, name: str, instead: str) -> str:
        wanted = [alias, fold_name(name)]
        return self._edited(lambda parts, text: instead if list(parts) == wanted else text)

    def _no_alias(self, name: str) -> Finding | None:
        aliases = self._aliases()
        wanted = [parts[1] for parts in tree.names_in([self.root]) if len(parts) > 1 and parts[0] == fold_name(name)]
        if not aliases or not wanted:
            return None
        column = wanted[0]
        holders = [alias for alias, table in aliases.items() if column in self.used.get(table, ())]
        there = listed([alias if alias == table else f"{alias} ({table})" for alias, table in aliases.items()])
        words = f'No table of the statement is called "{name}"; it has {there}.'
        if holders:
            full = [f"{alias}.{column}" for alias in holders]
            renamed = self._realiased(name, holders[0]) if len(holders) == 1 else ""
            return Finding(f"{words} Column {column} is {either(full)}.", renamed)
        near = nearest_columns(column, self.used) or elsewhere(column, self.others)
        return Finding(f"{words} None has a column {column!r}{f'; there is {either(near)}' if near else ''}.")

    def _aliases(self) -> Mapping[str, str]:
        selects = [node for node in tree.below(self.root) if tree.kind(node) == "SELECT_NODE"]
        found = [relation for node in selects for relation in tree.relations(node.get("from_table"))]
        return {relation.alias: relation.name for relation in found if relation.name}

    def _joined_by(self, other: Sequence[str]) -> str:
        """Say how a table with the column is joined, where that is by device."""
        table = other[0].partition(".")[0]
        by_device = "device_id" in self.others.get(table, ()) and any("device_id" in n for n in self.used.values())
        return f" (JOIN {table} USING (device_id))" if by_device and table != "fleet" else ""

    def _short_lists(self) -> str:
        names = [f"{table} has {listed(names, 8)}" for table, names in self.used.items() if len(self.used) == 1]
        return f"{names[0]}." if names else ""

    def _renamed(self, name: str, *columns: str) -> str:
        """Return the statement with another column in place of this one; empty where several may be meant."""
        if len(columns) != 1:
            return ""
        return self._edited(lambda parts, text: text[: len(text) - len(_last(text))] + columns[0], fold_name(name))

    def _realiased(self, name: str, alias: str) -> str:
        def edit(parts: Sequence[str], text: str) -> str:
            return f"{alias}{text[text.index('.') :]}" if parts[0] == fold_name(name) and "." in text else text

        return self._edited(edit)

    def _from_fleet(self, name: str, other: Sequence[str]) -> str:
        """Return the statement on ``fleet`` in place of ``devices``, where that has the one column that was meant."""
        columns = [full.partition(".")[2] for full in other if full.startswith("fleet.")]
        if list(self.used) != ["devices"] or len(columns) != 1:
            return ""
        said = {parts[-1] for parts in tree.names_in([self.root])}
        if said.intersection(self.used["devices"]).difference(self.others["fleet"]):
            return ""
        renamed = self.sql if columns[0] == fold_name(name) else self._renamed(name, columns[0])
        return re.sub(r"\b(FROM|JOIN)\s+devices\b", r"\1 fleet", renamed, flags=re.IGNORECASE)

    def _edited(self, edit: Callable[[Sequence[str], str], str], last: str | None = None) -> str:
        """Return the statement with some names of columns written anew, all others as they are."""
        encoded = self.sql.encode()
        for begin, end, parts in sorted(_places(self.root), reverse=True):
            if last is None or parts[-1] == last:
                text = encoded[begin:end].decode(errors="replace")
                if not fold_name(text.strip('"')).endswith(parts[-1]):
                    return ""  # the places are those of another text, as in EXPLAIN
                encoded = encoded[:begin] + edit(parts, text).encode() + encoded[end:]
        mended = encoded.decode(errors="replace")
        return mended if mended != self.sql else ""


def unknown_table(sql: str, name: str, tables: Sequence[str], queries: Sequence[str]) -> Finding | None:
    """Return what to say of a table that is not there; None for what is no plain name, such as a path."""
    if not re.fullmatch(r"[^\W\d]\w*", name):
        return None
    begins = f"There is no table {shown(name)} here."
    if name in queries:
        return Finding(f"{begins} It is a named query: it is run by its name, not in SQL.")
    if fold_name(name).startswith(("pragma_", "duckdb_", "sqlite_", "pg_")):
        return Finding(f"{begins} SHOW TABLES lists the tables, DESCRIBE <table> the columns.")
    surely = len(get_close_matches(fold_name(name), tables, n=2, cutoff=SURE)) == 1
    meant = [] if surely else tables_meant(name, tables)
    near = meant or nearest_tables(name, tables)
    if not near:
        most = [table for table in FIRST if table in tables]
        rest = f"{len(tables) - len(most)} more: SHOW TABLES lists them"
        return Finding(f"{begins} Most questions are answered by {', '.join(most)}; there are {rest}.")
    mended = _from_table(sql, name, near[0]) if meant or len(near) == 1 else ""
    return Finding(f"{begins} Did you mean {either(near)}?", mended)


def _from_table(sql: str, name: str, table: str) -> str:
    """Return a statement on another table; empty where it names the first in a way that is not seen."""
    named = rf'"?\b{re.escape(name)}\b"?'
    mended = re.sub(rf"\b(FROM|JOIN)(\s+){named}(?=\W|$)", rf"\1\2{table}", sql, flags=re.IGNORECASE)
    mended = without_texts(mended, lambda text: re.sub(rf"(?i){named}(?=\.\w)", table, text))
    return mended if mended != sql and len(sql) <= LONGEST else ""


def compared_names(root: Any) -> Mapping[str, bool]:
    """Return the bare names that stand where a text would: compared for being equal, in a list, or, True, alike."""
    found: dict[str, bool] = {}
    selects = [node for node in tree.below(root) if tree.kind(node) == "SELECT_NODE"]
    outside_joins = [value for node in selects for key, value in node.items() if key != "from_table"]
    for node in (node for value in outside_joins for node in tree.below(value)):
        like = node.get("class") == "FUNCTION" and bool(_LIKE.match(str(node["qualified_name"]["path"][-1])))
        if tree.kind(node) in {"COMPARE_EQUAL", "COMPARE_NOTEQUAL"}:
            sides = [node["left"], node["right"]]
        elif tree.kind(node) in {"COMPARE_IN", "COMPARE_NOT_IN"}:
            sides = list(node["children"])
        elif like:
            sides = [argument.get("expression", argument) for argument in node["arguments"]]
        else:
            continue
        if tree.parts(sides[0]):
            found |= {names[0]: like for side in sides[1:] if len(names := tree.parts(side)) == 1}
    return found


def _surely(name: str, columns: Columns) -> bool:
    """Tell whether a name is a misspelt one of a column."""
    every = {column for names in columns.values() for column in names}
    return bool(get_close_matches(fold_name(name), every, n=1, cutoff=SURE))


def _in_words(name: str, near: Sequence[str]) -> bool:
    """Tell whether a name is a whole word of a column that is near, or has one as such."""
    words = set(fold_name(name).split("_"))
    return any(words <= set(full.rpartition(".")[2].split("_")) for full in near)


def _places(root: Any) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """Yield where in the statement, in bytes, names of columns begin and end."""
    for node in tree.below(root):
        if node.get("class") == "COLUMN_REF" and isinstance(node.get("query_location"), int):
            begin = int(node["query_location"])
            yield begin, begin + int(node.get("query_location_length") or 0), tuple(tree.parts(node))


def _last(text: str) -> str:
    return text.rpartition(".")[2]


def place(text: str, sql: str) -> str:
    """Return the line with the mark, if it is the caller's: the steps of a PIVOT are statements of the engine's own."""
    place = _PLACE.search(text)
    return f"\n{place[0].strip()}" if place and place[1].strip(". ") in sql else ""
