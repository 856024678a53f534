"""Completions of arguments: names of tables, queries, devices, people and blueprints, from the mirror as it is."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mcp.server import MCPServer
from mcp.types import Completion, CompletionArgument, CompletionContext, PromptReference, ResourceTemplateReference

from kandji_mcp_server.context import ServerContext
from kandji_mcp_server.render.sanitize import sanitized
from kandji_queries.catalog.own_queries import own_queries
from kandji_queries.catalog.queries import catalog
from kandji_schema.errors import MirrorError
from kandji_schema.text import fold_text

if TYPE_CHECKING:
    from kandji_queries.reader import Reader

MOST = 100
"""The protocol's limit of values in one completion."""

LONGEST = 200

VALUES = {
    "serial": "SELECT serial_number FROM devices UNION SELECT device_name FROM devices",
    "device": "SELECT device_name FROM devices UNION SELECT serial_number FROM devices",
    "person": "SELECT user_email FROM devices UNION SELECT user_name FROM devices",
    "blueprint": "SELECT name FROM blueprints",
}
"""Where the values of an argument come from."""


def add_completions(server: MCPServer[ServerContext], context: ServerContext) -> None:
    """Let the server complete the arguments of its prompts and templates."""

    # The SDK annotates neither its decorator nor what it gives back.
    @server.completion()  # type: ignore[no-untyped-call, untyped-decorator]
    async def complete(
        ref: PromptReference | ResourceTemplateReference,
        argument: CompletionArgument,
        _: CompletionContext | None,
    ) -> Completion:
        values = await _completions(context, argument.name, argument.value[:LONGEST])
        return Completion(values=values[:MOST], total=len(values), has_more=len(values) > MOST)


async def _completions(context: ServerContext, name: str, typed: str) -> list[str]:
    """Find values that contain what is typed, those that begin with it first; none while there is no mirror."""
    if name == "query":
        return matching([*catalog(), *own_queries(context.home).queries], typed)
    try:
        if name in ("name", "table"):
            return matching(await context.ask(lambda reader: [info.name for info in reader.tables()]), typed)
        if name in VALUES:
            return await context.ask(lambda reader: _matching_values(reader, VALUES[name], typed))
    except MirrorError:
        pass  # nobody can be told here: the protocol knows values only
    return []


def matching(values: Sequence[str], typed: str) -> list[str]:
    """Return those that contain the text as a search compares it, those that begin with it first."""
    text = fold_text(typed)
    found = [value for value in values if text in fold_text(value)]
    return sorted(found, key=lambda value: (not fold_text(value).startswith(text), value))


def _matching_values(reader: "Reader", sql: str, typed: str) -> list[str]:
    statement = f"SELECT v FROM ({sql}) AS t(v) WHERE contains(folded(v), folded($typed)) ORDER BY v LIMIT 10000"
    values: list[str] = sanitized([row[0] for row in reader.run(statement, {"typed": typed}).rows])
    return matching(values, typed)
