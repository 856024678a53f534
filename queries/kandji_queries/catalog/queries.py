"""Named queries: one ``.sql`` file each under ``sql/``, found by looking into the folder.

A file is a header (``title``, ``description``, ``param`` lines as in :mod:`kandji_queries.catalog.params`, optionally
``column``, ``chart`` and ``since``) and one statement that uses every declared parameter as ``$name`` and no other. It
runs as it is in any DuckDB shell. ``column: name | meaning`` tells what a column is that no table behind has
(:mod:`kandji_queries.catalog.declared`). A chart is named by its kind (bar, line or stacked) and columns of the answer:
``bar x=platform y=devices``, of a stacked one several after ``y=``, and after ``by=`` the column with a chart for each
of its values. ``since`` is an expression of the parameters, of a query that tells what changed: from which moment on.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from kandji_queries import sql_files
from kandji_queries.catalog.params import Param, parse_declaration
from kandji_schema.errors import UnknownName, UsageError

FOLDER = Path(__file__).parents[1] / "sql"
KEYS = frozenset({"title", "description", "param", "column", "chart", "since"})

_NOT_CODE = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"", re.S)
_USED = re.compile(r"\$([A-Za-z_]\w*)")


@dataclass(frozen=True)
class NamedQuery:
    """A query people and agents call by name. ``chart`` names a fitting chart, or is None.

    ``columns`` has the meaning of those columns that need words of their own.
    """

    name: str
    title: str
    description: str
    params: tuple[Param, ...]
    sql: str
    chart: str | None = None
    since: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)

    def bind(self, values: Mapping[str, object]) -> dict[str, Any]:
        """Return the values to bind, checked and with defaults filled in.

        :class:`UnknownName` for a parameter there is not, :class:`UsageError` for one that is missing or wrong.
        """
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
    return MappingProxyType({name: _query(file) for name, file in sql_files.folder(folder, KEYS).items()})


def named(name: str) -> NamedQuery:
    """Return the query of that name; :class:`UnknownName` with the nearest names."""
    if name not in catalog():
        raise UnknownName("query", name, catalog())
    return catalog()[name]


def _query(file: sql_files.SqlFile) -> NamedQuery:
    params = {entry.line: _param(file, entry) for entry in file.all("param")}
    _refuse_undeclared(file, {param.name: line for line, param in params.items()}, len(params))
    chart, since = (next((entry.value for entry in file.all(key)), None) for key in ("chart", "since"))
    return NamedQuery(
        name=file.name,
        title=file.one("title"),
        description=file.one("description"),
        params=(*params.values(),),
        sql=file.sql,
        chart=chart,
        since=since,
        columns=dict(map(sql_files.column, file.all("column"))),
    )


def _param(file: sql_files.SqlFile, entry: sql_files.Entry) -> Param:
    try:
        return parse_declaration(entry.value)
    except (ValueError, UsageError) as error:
        raise file.wrong(entry.line, str(error).rstrip(".")) from error


def _refuse_undeclared(file: sql_files.SqlFile, lines: Mapping[str, int], declared: int) -> None:
    used = set(_USED.findall(_NOT_CODE.sub(" ", file.sql)))
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
