"""Named queries: ``run_query``."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from mcp.server.mcpserver import Context
from mcp.types import CallToolResult
from pydantic import Field

from kandji_mcp_server.apps import chart_view, looks, with_view
from kandji_mcp_server.context import ServerContext
from kandji_mcp_server.registration import client_of
from kandji_mcp_server.render.answers import Absent, RowsAnswer, age_range, tool_result
from kandji_mcp_server.render.truncate import RowPage, truncate
from kandji_mcp_server.tools.sql import Values
from kandji_queries.catalog.own_queries import find_query, own_queries
from kandji_queries.catalog.params import Param
from kandji_queries.catalog.queries import NamedQuery, catalog
from kandji_queries.results.dates import short_dates

if TYPE_CHECKING:
    from kandji_queries.engine.limits import QueryLimits
    from kandji_queries.reader import Reader
    from kandji_queries.results.result import Answer, Result

MOST_ROWS = 50_000
"""Rows of a query that are counted; of a longer one ``total_rows`` is this and ``notes`` say so."""


@dataclass(frozen=True)
class Selection:
    """What of an answer is to be shown: which columns (empty for all), how many rows, and after which."""

    columns: Sequence[str]
    limit: int | None
    offset: int


OWN_BYTES = 220
"""Most bytes of the names of a mirror's own queries in the list of tools."""

TOOLS_OF_THEIR_OWN = frozenset({"apps_on_device", "changes_on_device", "device_compliance", "find_device"})
"""Queries that are not listed because a tool does the same and more."""


async def run_query(
    ctx: Context[ServerContext],
    name: str,
    params: Annotated[Values, Field(description='{"days": 30}')] = None,
    columns: Annotated[
        list[str] | Absent,
        Field(description="Only these columns."),
    ] = None,
    limit: Annotated[int, Field(ge=1)] | Absent = None,
    offset: Annotated[int, Field(ge=0)] = 0,
) -> Annotated[CallToolResult, RowsAnswer]:
    """Run a named query, a checked answer. total_rows counts all rows of a cut answer.

    Parameters: name=default|others; name? is optional; =any takes one value, a wrong one lists them; app, user,
    profile, device match parts of names. Removed devices and archived people count: with_removed=false,
    with_archived=false leave them out. The queries:
    """
    context = ctx.request_context.lifespan_context
    wanted = Selection(columns or (), limit, offset)
    query = find_query(context.home, name)
    if query.name in catalog():
        found, answer = await context.ask(lambda reader: _query_answer(context, reader, name, params, wanted))
    else:
        # anyone may have written the statement: it runs where those of anyone run
        found = await context.run_sql(query.statement(params or {}), query.bind(params or {}), client_of(ctx))
        query.check_columns([column.name for column in found.columns])
        shown = _shown(context, found, wanted, most=found.row_count)
        answer = rows_answer(context, found, shown, [*found.notes, *_truncation_notes(shown)])
    result = tool_result(answer)
    return with_view(result, await chart_view(query, params or {}, found, context.clock())) if looks(ctx) else result


def queries(home: Path | None = None) -> str:
    """List the named queries, ``stale_devices(days=7,blueprint?)``, then by name those of the mirror's owner."""
    ours = " ".join(signature(query).replace(", ", ",") for query in catalog().values() if is_listed(query))
    own = list(own_queries(home).queries) if home else []
    return f"{ours}\n{_own_names(own)}" if own else ours


def _own_names(own: Sequence[str]) -> str:
    """Name as many as there is room for."""
    told: list[str] = []
    while len(told) < len(own) and len(", ".join([*told, own[len(told)]])) <= OWN_BYTES:
        told.append(own[len(told)])
    more = f" and {len(own) - len(told)} more in kandji://queries" if len(told) < len(own) else ""
    return f"Queries of this mirror's owner: {', '.join(told)}{more}"


def is_listed(query: NamedQuery) -> bool:
    """Tell whether a query is listed: no tool or query does the same and more, and it is not made for pictures."""
    return query.like is None and query.made_for is None and query.name not in TOOLS_OF_THEIR_OWN


def signature(query: NamedQuery) -> str:
    """Write ``stale_devices(days=7)``, or the name alone where there are no parameters to set.

    A flag that is on adds rows that say so, and whoever wants them gone sees its name in ``query NAME --help`` alone.
    """
    params = ", ".join(_in_short(param) for param in query.own_params() if param.default is not True)
    return f"{query.name}({params})" if params else query.name


def _in_short(param: Param) -> str:
    """Write a parameter: a flag that is off as ``with_unknown?``, and of values that narrow down only ``=any``."""
    if param.default is False:
        return f"{param.name}?"
    return f"{param.name}=any" if param.default == "any" else param.signature


def _query_answer(
    context: ServerContext, reader: "Reader", name: str, params: dict[str, Any] | None, wanted: Selection
) -> "tuple[Answer, RowsAnswer]":
    found = reader.query(name, params, limits=counting_limits(reader.limits))
    shown = _shown(context, found, wanted, most=reader.limits.rows)
    notes = [*_query_notes(found), *_truncation_notes(shown)]
    return found, rows_answer(context, found, shown, notes)


def _shown(context: ServerContext, found: "Answer", wanted: Selection, *, most: int) -> RowPage:
    """Return what of an answer is shown: what is wanted, ``most`` rows and as many bytes as an answer has."""
    page = json_rows(found, wanted.columns).slice(wanted.offset, min(wanted.limit or most, most))
    return truncate(page, context.most_bytes, wanted.limit, narrow=not wanted.columns)


def _query_notes(found: "Result") -> Iterator[str]:
    """Yield the notes of the answer; of one that is longer than can be counted what that means here."""
    yield from (note for note in found.notes if not (found.truncated and note == found.notes[-1]))
    if found.truncated:
        yield f"There are more than {MOST_ROWS:,} rows; total_rows counts no further. Narrow it, or count with SQL."


def counting_limits(limits: "QueryLimits") -> "QueryLimits":
    """Return limits of a query whose rows are counted before they are cut."""
    return replace(limits, rows=MOST_ROWS, bytes=None)


def json_rows(found: "Answer", columns: Sequence[str] = ()) -> RowPage:
    """Return all rows, JSON-ready, with some columns or all; moments in whole seconds. :class:`UnknownName` else."""
    document = found.to_json()
    columns_of_rows, rows = document["columns"], document["rows"]
    moments = [i for i, column in enumerate(columns_of_rows) if column["type"] == "TIMESTAMP"]
    for row in rows if moments else ():
        row[:] = [_in_seconds(cell) if i in moments else cell for i, cell in enumerate(row)]
    page = RowPage([column["name"] for column in columns_of_rows], rows, len(rows))
    return page.only(columns) if columns else page


def _in_seconds(moment: str | None) -> str | None:
    return moment and f"{moment[:19]}Z"


def rows_answer(
    context: ServerContext,
    found: "Answer",
    shown: RowPage,
    notes: list[str],
    *,
    as_of: Mapping[str, str | None] | None = None,
) -> RowsAnswer:
    """Make the answer that shows some rows of what was found; ``as_of`` names fewer tables than were read."""
    return RowsAnswer(
        notes=notes,
        as_of=short_dates(found.as_of if as_of is None else as_of),
        age=age_range(found.as_of, context.clock()),
        row_count=len(shown.rows),
        total_rows=shown.total,
        truncated=shown.truncated,
        same_in_all_rows=shown.same,
        columns=shown.columns,
        rows=shown.rows,
    )


def _truncation_notes(shown: RowPage) -> Iterator[str]:
    if shown.left_out:
        yield f"Columns left out to show more rows: {', '.join(shown.left_out)}; name them in `columns` to have them."
    if shown.truncated:
        end = shown.begin + len(shown.rows)
        yield (
            f"Rows {shown.begin + 1} to {end} of {shown.total:,}. For all, name only the `columns` you need and set "
            f"`limit`; or go on with offset={end}, or `export` them to a file."
        )
