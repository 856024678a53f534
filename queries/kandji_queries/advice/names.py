"""What is said of a column, an alias or a table that is not there, and the statement that was probably meant."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kandji_queries.advice.nearest import Columns, either, elsewhere, listed, nearest_columns, nearest_tables
from kandji_queries.lineage import tree
from kandji_queries.lineage.tree import Node
from kandji_schema.sql import fold_name

_MISSING = re.compile(
    r'Binder Error: (?:Referenced column "(?P<a>[^"\n]+)" not found'
    r'|(?:Table|Values list) "[^"\n]+" does not have a column named "(?P<b>[^"\n]+)"'
    r'|Column "(?P<c>[^"\n]+)" (?:in \w+ list not found|does not exist))'
)
_NO_ALIAS = re.compile(r'Binder Error: Referenced table "(?P<name>[^"\n]+)" not found')
_PLACE = re.compile(r"\nLINE \d+:([^\n]*)\n[^\n]*")

PARTS = frozenset({"year", "quarter", "month", "week", "day", "hour", "minute", "second"})
"""Parts of a date, which other dialects write without quotes."""

LONGEST = 2_000
"""Most characters of a statement that is proposed; whoever wrote a longer one finds the place by what is said."""

NAMED = 80
"""Most characters of a name that are repeated."""

FIXES = 3
"""Most names of one statement that are mended one after the other."""


@dataclass(frozen=True)
class Tried:
    """A statement that was looked at, not run: its tree, and what the engine says against it, if anything."""

    root: Node
    error: str | None


Trial = Callable[[str], Tried | None]
"""Tries a statement; None for one that the guard refuses."""


@dataclass(frozen=True)
class Finding:
    """What is wrong with a statement, in words, and the statement that mends it, where there is only one."""

    words: str
    mended: str = ""


@dataclass(frozen=True)
class NameAdviser:
    """Advice about one statement. ``used`` are the columns of the tables it reads, ``others`` those of all."""

    sql: str
    root: Node
    used: Columns
    others: Columns

    def about(self, error: str, trial: Trial, lettered: Callable[[str], str] = str) -> str | None:
        """Return what to say of the engine's error; None where it is about something else.

        ``lettered`` writes the values of a statement as rows have them.
        """
        found = self._finding(error)
        if found is None:
            return None
        mended = self._proven(found.mended, trial) if 0 < len(found.mended) <= LONGEST else ""
        proposal = f"\nThis would run: {lettered(mended)}" if mended else ""
        return f"{found.words}{proposal}{_place(error, self.sql)}"

    def _proven(self, sql: str, trial: Trial) -> str:
        """Return a statement that runs: this one, or with further names of it mended; empty where that takes more."""
        for _ in range(FIXES):
            tried = trial(sql)
            if tried is None or tried.error is None:
                return sql if tried else ""
            again = NameAdviser(sql, tried.root, self.used, self.others)._finding(tried.error)
            if again is None or not again.mended:
                return ""
            sql = again.mended
        return ""

    def _finding(self, error: str) -> Finding | None:
        if alias := _NO_ALIAS.match(error):
            return self._no_alias(alias["name"])
        found = _MISSING.match(error)
        if found is None or not self.used:
            return None
        name = found["a"] or found["b"] or found["c"]
        if any(fold_name(name) in names for names in self.used.values()):
            return None  # it is there, but not where it was looked for: the engine's words say more
        return self._no_column(name)

    def _no_column(self, name: str) -> Finding:
        begins = f"There is no column {shown(name)} in {' or '.join(self.used)}."
        others = {table: names for table, names in self.others.items() if table not in self.used}
        near = nearest_columns(name, self.used, surely=bool(elsewhere(name, others, surely=True)))
        if not near and len(name) <= NAMED and f'"{name}"' in self.sql:
            quoted = "'" + name.replace("'", "''") + "'"
            words = f"{begins} A text stands in single quotes: {quoted}; in double quotes it is the name of a column."
            return Finding(words, self.sql.replace(f'"{name}"', quoted))
        if fold_name(name) in PARTS:
            part = f"'{fold_name(name)}'"
            return Finding(f"{begins} A part of a date is a text: {part}.", self._renamed(name, part))
        if near:
            names = {full.rpartition(".")[2] for full in near}
            return Finding(f"{begins} Did you mean {either(near)}?", self._renamed(name, *names))
        if other := elsewhere(name, others):
            where = f" There is {either(other)}" + self._joined_by(other) + "."
            return Finding(f"{begins}{where}{self._short_lists()}", self._from_fleet(name, other))
        return Finding(" ".join([begins, *(f"{table} has {listed(names)}." for table, names in self.used.items())]))

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
        return f" {names[0]}." if names else ""

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


def shown(name: str) -> str:
    """Return a name in quotes, cut where it is very long."""
    return repr(name if len(name) <= NAMED else f"{name[:NAMED]}…")


def unknown_table(sql: str, name: str, tables: Sequence[str], queries: Sequence[str]) -> Finding | None:
    """Return what to say of a table that is not there; None for what is no plain name, such as a path."""
    if not re.fullmatch(r"[^\W\d]\w*", name):
        return None
    begins = f"There is no table {shown(name)} here."
    if name in queries:
        return Finding(f"{begins} It is a named query: it is run by its name, not in SQL.")
    near = nearest_tables(name, tables)
    if not near:
        return Finding(f"{begins} There are {', '.join(sorted(tables))}.")
    pattern = rf'\b(FROM|JOIN)(\s+)"?{re.escape(name)}"?(?=\W|$)'
    mended = re.sub(pattern, rf"\1\2{near[0]}", sql, flags=re.IGNORECASE) if len(near) == 1 else ""
    return Finding(f"{begins} Did you mean {either(near)}?", mended if mended != sql and len(sql) <= LONGEST else "")


def _places(root: Any) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """Yield where in the statement, in bytes, names of columns begin and end."""
    for node in tree.below(root):
        if node.get("class") == "COLUMN_REF" and isinstance(node.get("query_location"), int):
            begin = int(node["query_location"])
            yield begin, begin + int(node.get("query_location_length") or 0), tuple(tree.parts(node))


def _last(text: str) -> str:
    return text.rpartition(".")[2]


def _place(text: str, sql: str) -> str:
    """Return the line with the mark, if it is the caller's: the steps of a PIVOT are statements of the engine's own."""
    place = _PLACE.search(text)
    return f"\n{place[0].strip()}" if place and place[1].strip(". ") in sql else ""
