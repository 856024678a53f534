"""Named queries: one ``.sql`` file each under ``sql/``, found by looking into the folder.

A file is a header (``title``, ``description``, ``param`` lines as in :mod:`kandji_queries.catalog.params`, optionally
``column``, ``counts``, ``like``, ``for``, ``tells``, ``lacks``, ``ranks``, ``beyond``, ``nearest``, ``without``,
``chart``, ``says`` and ``since``) and one statement that uses every declared parameter as ``$name`` and no other. It
runs as it is in any DuckDB shell. ``column: name | meaning`` tells what a column is that no table behind has
(:mod:`kandji_queries.catalog.declared`). ``counts`` says what it counts (:mod:`kandji_queries.catalog.counting`),
``tells`` by which columns a note counts the rows (``tells: firewall_on, state``, or with what those without a value are
called, ``tells: days_since = never checked in``), ``ranks`` by which column the first rows lead, ``beyond`` and
``nearest`` what is said of rows that a bound leaves out (:mod:`kandji_queries.catalog.bounds`), and ``like`` names the
query that answers the same and more: lists name that one, and this one still runs. ``without: FROM apps WHERE extra IS
NOT NULL | The provider sends none.`` is a sentence that is said where that has no rows: what would be asked about is
not there at all. ``for: pictures`` says that it is made for pages and reports: the list of tools leaves it out.
``chart`` is the picture of its answer (:mod:`kandji_queries.charts.hint`), ``says`` the sentence beside it
(:mod:`kandji_queries.charts.sentence`), ``leads`` which rows its numbers count (:mod:`kandji_queries.catalog.leads`).
``since`` is an expression of the parameters, of a query that tells what changed: from which moment on.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from kandji_queries import sql_files
from kandji_queries.catalog import counting
from kandji_queries.catalog.bounds import LEFT_OUT, Bound, read_bound
from kandji_queries.catalog.leads import NumberLead, leads_of, read_lead
from kandji_queries.catalog.params import KINDS, Param, parameters_in, parse_declaration
from kandji_queries.charts.hint import ChartHint, read_hint
from kandji_queries.charts.sentence import check_template, named_columns
from kandji_schema.errors import ConfigurationError, UnknownName, UsageError

FOLDER = Path(__file__).parents[1] / "sql"
PICTURES = "pictures"
"""What a query may be made ``for``."""

ONCE = LEFT_OUT | {"chart", "says", "since", "counts", "like", "for", "tells", "lacks", "ranks", "without"}
"""Entries that a header has once; of a second one nothing would be seen."""

KEYS = ONCE | {"title", "description", "param", "column", "leads"}

COUNTED = tuple(param.name for param in counting.PARAMS.values())  # parameters that come with what is counted


@dataclass(frozen=True)
class NamedQuery:
    """A query people and agents call by name. ``chart`` is the picture of its answer, ``says`` the sentence; or None.

    ``columns`` has the meaning of those columns that need words of their own. ``params`` are the declared ones and
    those of what it ``counts``. ``like`` names the query that is listed in its place, or is None; ``made_for`` is
    :data:`PICTURES` where it is made for those. ``tells`` are the columns by whose values the rows are counted, with
    what rows without a value are called, ``ranks`` is the one by which the first rows lead, and ``lacks`` the parameter
    whose thing its rows do not have. ``beyond`` and ``nearest`` are of a bound that leaves out rows. ``without`` is
    what has to be there, in SQL from FROM on, and what is said where it is not. ``leads`` tell which rows its numbers
    count. ``file`` is where it is written. Of a ``blueprint`` that is named only the devices count.
    """

    name: str
    title: str
    description: str
    params: tuple[Param, ...]
    sql: str
    chart: ChartHint | None = None
    says: str | None = None
    since: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    counts: tuple[str, ...] = ()
    like: str | None = None
    made_for: str | None = None
    tells: Mapping[str, str] = field(default_factory=dict)
    lacks: str | None = None
    ranks: str | None = None
    beyond: Bound | None = None
    nearest: Bound | None = None
    without: tuple[str, str] | None = None
    leads: tuple[NumberLead, ...] = ()
    file: sql_files.SqlFile | None = field(default=None, repr=False, compare=False)
    blueprint: str = ""

    def bind(self, values: Mapping[str, object]) -> dict[str, Any]:
        """Return the values to bind to its :meth:`statement`, checked and with defaults filled in.

        :class:`UnknownName` for a parameter there is not, :class:`UsageError` for one that is missing or wrong.
        """
        common = {counting.PARAMS[what].name for what in self.counts}
        return {name: value for name, value in self._all(values).items() if name not in common}

    def statement(self, values: Mapping[str, object]) -> str:
        """Return the SQL that answers for these values, over the devices and people that count; raises as bind does."""
        counts = {**counting.ALL, **self.counting(values)}
        blueprint = self.blueprint if counting.DEVICES in self.counts else ""
        return counting.narrowed(self.sql, counts, ours=self.name in catalog(), blueprint=blueprint)

    def check_columns(self, columns: Collection[str], keys: Collection[str] = ("tells",)) -> None:
        """Compare the columns of its answer with those that its header names under some ``keys``.

        :class:`ConfigurationError` names file and line of one that the answer does not have.
        """
        for entry in self._entries():
            for name in _columns_named(entry) if entry.key in keys else ():
                if name not in columns:
                    there = ", ".join(columns)
                    raise self._wrong(entry, f"`{entry.key}` names {name!r}, which its answer has not: {there}")

    def check_counts(self) -> None:
        """Try whether its statement can be narrowed to what its header counts; :class:`ConfigurationError` if not."""
        for entry in self._entries():
            try:
                if entry.key == "counts":
                    counting.narrowed(self.sql, dict.fromkeys(COUNTED, False), ours=self.name in catalog())
            except UsageError as error:
                raise self._wrong(entry, str(error).rstrip(".")) from error

    def own_params(self) -> tuple[Param, ...]:
        """Return the parameters that are its own, without those of everything that is counted."""
        return tuple(param for param in self.params if param not in counting.PARAMS.values())

    def counting(self, values: Mapping[str, object]) -> dict[str, Any]:
        """Return what counts by these values, by the names of the parameters of what it counts."""
        found = self._all(values)
        return {name: found[name] for name in (counting.PARAMS[what].name for what in self.counts)}

    def _entries(self) -> Iterable[sql_files.Entry]:
        return self.file.entries if self.file else ()

    def _wrong(self, entry: sql_files.Entry, what: str) -> ConfigurationError:
        return self.file.wrong(entry.line, what) if self.file else ConfigurationError(what)

    def _all(self, values: Mapping[str, object]) -> dict[str, Any]:
        known = [param.name for param in self.params]
        for name in values:
            if name not in known:
                raise _unknown_parameter(self.name, name, known)
        return {param.name: self._bound(param, values) for param in self.params}

    def _bound(self, param: Param, values: Mapping[str, object]) -> Any:
        if param.required and values.get(param.name) is None:
            raise UsageError(
                f"The query {self.name} needs the parameter {param.name}, {param.rule()}: {param.description}"
            )
        return param.value(values.get(param.name))


@cache
def catalog(folder: Path = FOLDER) -> MappingProxyType[str, NamedQuery]:
    """Return all named queries by name, sorted. :class:`ConfigurationError` names file and line of a wrong one."""
    return MappingProxyType({name: from_file(file) for name, file in sql_files.folder(folder, KEYS).items()})


def named(name: str) -> NamedQuery:
    """Return the query of that name; :class:`UnknownName` with the nearest names."""
    if name not in catalog():
        raise UnknownName("query", name, catalog())
    return catalog()[name]


def from_file(file: sql_files.SqlFile) -> NamedQuery:
    """Return the query of a file; :class:`ConfigurationError` names file and line of what is wrong."""
    params = {entry.line: _param(file, entry) for entry in file.all("param")}
    _refuse_undeclared(file, {param.name: line for line, param in params.items()}, len(params))
    own = [param.name for param in params.values()]
    _refuse_second(file)
    _refuse_lacking(file, own)
    entries = {entry.key: entry.value for entry in file.entries if entry.key in ONCE}
    counts = _counted(file, own)
    _check_says(file, [*own, *(counting.PARAMS[what].name for what in counts)])
    return NamedQuery(
        name=file.name,
        title=file.one("title"),
        description=file.one("description"),
        params=(*params.values(), *(counting.PARAMS[what] for what in counts)),
        sql=file.sql,
        chart=_chart(file),
        says=entries.get("says"),
        since=entries.get("since"),
        columns=dict(map(sql_files.column, file.all("column"))),
        counts=counts,
        like=entries.get("like"),
        made_for=_purpose(file, entries.get("for")),
        tells=told(entries.get("tells", "")),
        lacks=entries.get("lacks"),
        ranks=entries.get("ranks"),
        beyond=_bound(file, "beyond", [*params.values()]),
        nearest=_bound(file, "nearest", [*params.values()]),
        without=_without(file),
        leads=leads_of(file),
        file=file,
    )


def _refuse_second(file: sql_files.SqlFile) -> None:
    for key in sorted(ONCE):
        for entry in [*file.all(key)][1:]:
            raise file.wrong(entry.line, f"it has a second `-- {key}:` line, which would not be read; write one")


def _refuse_lacking(file: sql_files.SqlFile, params: Collection[str]) -> None:
    """Refuse a ``lacks`` that nothing can be said of."""
    for entry in file.all("lacks"):
        if entry.value not in params:
            known = f"it declares {', '.join(params)}" if params else "it declares none"
            raise file.wrong(entry.line, f"`lacks` names {entry.value!r}, which is no parameter of it: {known}")
        if entry.value not in KINDS:
            raise file.wrong(
                entry.line,
                f"`lacks` names {entry.value!r}, and what kind of thing that is only {', '.join(KINDS)} tell; name "
                "the parameter so",
            )


def _counted(file: sql_files.SqlFile, params: Collection[str]) -> tuple[str, ...]:
    """Return what it counts by its header; the parameters of that may not be its own ``params`` as well."""
    for entry in file.all("counts"):
        try:
            found = counting.counted_in(entry.value)
        except ValueError as error:
            raise file.wrong(entry.line, str(error)) from error
        if twice := sorted({counting.PARAMS[what].name for what in found}.intersection(params)):
            raise file.wrong(entry.line, f"`counts` brings the parameter {twice[0]} with it; do not declare it")
        return found
    return ()


def told(words: str) -> dict[str, str]:
    """Read the columns of ``tells``, each with what rows are called that have no value there."""
    name, is_called, unknown = words.partition(" = ")
    if is_called:
        return {name: unknown}
    return {name.strip(): "not known" for name in words.split(",") if name.strip()}


def _bound(file: sql_files.SqlFile, key: str, params: Sequence[Param]) -> Bound | None:
    for entry in file.all(key):
        try:
            return read_bound(entry.value, params)
        except (ValueError, UsageError) as error:
            raise file.wrong(entry.line, str(error).rstrip(".")) from error
    return None


def _without(file: sql_files.SqlFile) -> tuple[str, str] | None:
    for entry in file.all("without"):
        rows, bar, sentence = entry.value.rpartition(" | ")
        if not bar or not rows.startswith("FROM ") or not sentence.endswith("."):
            raise file.wrong(entry.line, "`without` is written as `FROM apps WHERE ... | What is said without any.`")
        return rows, sentence
    return None


def _purpose(file: sql_files.SqlFile, made_for: str | None) -> str | None:
    if made_for not in {None, PICTURES}:
        line = next(entry.line for entry in file.all("for"))
        raise file.wrong(line, f"a query is made for {PICTURES} or, without the line, for everything")
    return made_for


def _chart(file: sql_files.SqlFile) -> ChartHint | None:
    for entry in file.all("chart"):
        try:
            return read_hint(entry.value)
        except ValueError as error:
            raise file.wrong(entry.line, str(error)) from error
    return None


def _check_says(file: sql_files.SqlFile, params: Collection[str]) -> None:
    for entry in file.all("says"):
        try:
            check_template(entry.value, None, params)
        except ValueError as error:
            raise file.wrong(entry.line, str(error)) from error


def _columns_named(entry: sql_files.Entry) -> Iterable[str]:
    """Return the columns that an entry of a header names."""
    match entry.key:
        case "column":
            return (sql_files.column(entry)[0],)
        case "chart":
            return read_hint(entry.value).columns
        case "says":
            return named_columns(entry.value)
        case "tells":
            return told(entry.value)
        case "leads":
            return read_lead(entry.value).needs
        case _:
            return (entry.value,)


def _param(file: sql_files.SqlFile, entry: sql_files.Entry) -> Param:
    try:
        return parse_declaration(entry.value)
    except (ValueError, UsageError) as error:
        raise file.wrong(entry.line, str(error).rstrip(".")) from error


def _refuse_undeclared(file: sql_files.SqlFile, lines: Mapping[str, int], declared: int) -> None:
    used = set(parameters_in(file.sql))
    if len(lines) != declared:
        raise file.wrong(max(lines.values()), "a parameter is declared twice")
    for name in sorted(lines.keys() - used):
        raise file.wrong(lines[name], f"the parameter {name} is declared but not used")
    for name in sorted(used - lines.keys()):
        raise file.wrong(_line_of(file, name), f"the parameter ${name} is used but not declared")


def _line_of(file: sql_files.SqlFile, name: str) -> int:
    lines = file.path.read_text(encoding="utf-8").splitlines()
    found = re.compile(rf"\${name}\b")
    return next((i for i, line in enumerate(lines, 1) if not line.startswith("--") and found.search(line)), 1)


def _unknown_parameter(query: str, name: str, known: list[str]) -> UsageError:
    if not known:
        return UsageError(f"The query {query} has no parameters; {name} was given.")
    return UnknownName(f"parameter of {query}", name, known)
