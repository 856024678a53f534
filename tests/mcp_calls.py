"""Calling the MCP server in memory, in either protocol era, for the tests of its tools."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import anyio
from mcp import Client
from mcp.client.extension import ClientExtension, advertise
from mcp.server.apps import APP_MIME_TYPE, EXTENSION_ID
from mcp.types import CallToolResult, TextContent

from kandji_mcp_server.context import ServerContext
from kandji_mcp_server.registration import ToolSpec
from kandji_mcp_server.server import TOOLS, build_server
from kandji_schema.manifest import Manifest, manifest_path
from kandji_schema.settings import Settings

Era = Literal["auto", "legacy"]
Call = tuple[str, Mapping[str, Any]]

SHOWS = (advertise(EXTENSION_ID, {"mimeTypes": [APP_MIME_TYPE]}),)
"""What a client declares that shows pictures."""

LATER = datetime(2026, 11, 20, 12, 3, tzinfo=UTC)
"""Three minutes after the rows of ``reads_home`` were read."""


@contextmanager
def opened(home: Path, **settings: Any) -> Iterator[ServerContext]:
    """The mirror in ``home`` as the server opens it, three minutes after its last sync."""
    mirror = replace(ServerContext(Settings(mirror_home=str(home), **settings)), clock=lambda: LATER)
    try:
        yield mirror
    finally:
        mirror.close()


def calls(
    mirror: ServerContext,
    era: Era,
    *wanted: Call,
    tools: Sequence[ToolSpec] = TOOLS,
    extensions: Sequence[ClientExtension] = (),
) -> list[CallToolResult]:
    """Connect, call one after the other, disconnect; the client declares ``extensions``."""

    async def talk() -> list[CallToolResult]:
        async with Client(build_server(mirror, tools), mode=era, extensions=extensions) as client:
            return [await client.call_tool(name, dict(arguments)) for name, arguments in wanted]

    return anyio.run(talk)


def answer(mirror: ServerContext, era: Era, tool: str, /, **arguments: Any) -> dict[str, Any]:
    """The JSON of one call that succeeds."""
    (found,) = calls(mirror, era, (tool, arguments))
    assert not found.is_error, said(found)
    document = json.loads(said(found))
    assert document == found.structured_content
    assert isinstance(document, dict)
    return document


def refusal(mirror: ServerContext, era: Era, tool: str, /, **arguments: Any) -> str:
    """What one call that fails says."""
    (found,) = calls(mirror, era, (tool, arguments))
    assert found.is_error
    return said(found)


def said(found: CallToolResult) -> str:
    """The one text of a result."""
    (content,) = found.content
    assert isinstance(content, TextContent)
    return content.text


def republish(home: Path, manifest: Manifest, table: str, **facts: Any) -> Manifest:
    """The next generation: the same files, with other facts about one table."""
    tables = {**manifest.tables, table: replace(manifest.tables[table], **facts)}
    newer = replace(manifest, generation=manifest.generation + 1, tables=tables)
    manifest_path(home, newer.generation).write_bytes(newer.to_json())
    return newer
