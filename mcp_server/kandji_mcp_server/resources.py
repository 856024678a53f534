"""What a client can read without a tool: the overview, the dictionary, the queries, the ages, and single devices."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from anyio import to_thread
from mcp.server import MCPServer
from mcp.shared.exceptions import MCPError
from mcp.types import INTERNAL_ERROR, INVALID_PARAMS

from kandji_mcp_server.context import ServerContext
from kandji_mcp_server.registration import error_text
from kandji_mcp_server.render.answers import Answer, written_answer
from kandji_mcp_server.render.sanitize import sanitized
from kandji_mcp_server.tools.devices import profile_answer
from kandji_mcp_server.tools.sync import status_answer
from kandji_mcp_server.tools.tables import overview_answer, table_answer
from kandji_queries.catalog.own_queries import own_queries
from kandji_queries.catalog.queries import catalog
from kandji_queries.results.values import compact
from kandji_schema.errors import MirrorError, UsageError

JSON = "application/json"


def add_resources(server: MCPServer[ServerContext], context: ServerContext) -> None:
    """Give the server its resources and templates."""

    @server.resource("kandji://overview", title="The mirror in short", mime_type=JSON)
    async def overview_resource() -> str:
        """Devices by platform, every table with its rows, age and content, and the columns that are asked most."""
        return await _text("kandji://overview", lambda: context.ask(lambda reader: overview_answer(context, reader)))

    @server.resource("kandji://queries", title="Named queries", mime_type=JSON)
    async def queries_resource() -> str:
        """Every named query with what it answers and its parameters."""
        return compact(queries(context.home))

    @server.resource("kandji://freshness", title="Freshness", mime_type=JSON)
    async def freshness_resource() -> str:
        """How old every table is, when it is due, and what failed."""
        return await _text("kandji://freshness", lambda: to_thread.run_sync(status_answer, context, ()))

    @server.resource("kandji://table/{name}", title="Dictionary of a table", mime_type=JSON)
    async def table_resource(name: str) -> str:
        """Columns of a table or view with their meaning, joins, and example statements."""
        return await _text(
            f"kandji://table/{name}", lambda: context.ask(lambda reader: table_answer(context, reader, name))
        )

    @server.resource("device://{serial}", title="A device", mime_type=JSON)
    async def device_resource(serial: str) -> str:
        """Everything about the device of a serial number (or identifier): owner, posture, compliance, changes."""
        return await _text(
            f"device://{serial}", lambda: context.ask(lambda reader: profile_answer(context, reader, serial))
        )


def queries(home: Path) -> list[dict[str, object]]:
    """Return the catalogue with the mirror's own queries, JSON-ready."""
    return [
        {
            "name": query.name,
            "title": query.title,
            "description": query.description,
            "params": {param.name: f"{param.rule()}: {param.description}" for param in query.params},
        }
        for query in (*catalog().values(), *own_queries(home).queries.values())
    ]


async def _text(uri: str, answer: Callable[[], Awaitable[Answer]]) -> str:
    """Return the answer as JSON; the data of :class:`MCPError` says what kind of error it is."""
    try:
        return written_answer(await answer())[1]
    except MirrorError as error:
        code = INVALID_PARAMS if isinstance(error, UsageError) else INTERNAL_ERROR
        data = {"uri": uri, **error.to_dict()}
        raise MCPError(code, error_text(data.pop("message")), sanitized(data)) from error
