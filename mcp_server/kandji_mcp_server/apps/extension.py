"""The extension: two pages, the tools whose answers they show, and who is told of them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from mcp.server.apps import Apps, ResourceCsp, client_supports_apps
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.mcpserver import Context

from kandji_mcp_server.apps.page import page

CHART = "ui://kandji-mirror/chart"
DEVICE = "ui://kandji-mirror/device"

SHOWN_BY: Mapping[str, str] = MappingProxyType({"run_query": CHART, "device_profile": DEVICE})
"""Tools whose answers have a page. ``fleet_overview`` has none: models ask it to find their way, not to show it."""


def picture_apps() -> Apps:
    """Return the extension with its pages; they may load nothing from anywhere."""
    apps = Apps()
    for uri, name, about in (
        (CHART, "A chart", "The answer of a named query: sentence, picture, table."),
        (DEVICE, "A device", "What is known of one device, or in short of those of a person."),
    ):
        apps.add_html_resource(uri, page(name), name=name, description=about, csp=ResourceCsp(), prefers_border=True)
    return apps


def looks(ctx: Context[Any, Any]) -> bool:
    """Tell whether the client said that it shows such pages."""
    return client_supports_apps(ctx)


async def offered(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """Name the pages in lists to clients that show them, and to no others: these pay for nothing they cannot use."""
    result = await call_next(ctx)
    if not isinstance(result, dict):
        return result
    shows = client_supports_apps(ctx)
    if ctx.method == "tools/list" and shows:
        return {**result, "tools": [_with_page(tool) for tool in result["tools"]]}
    if ctx.method == "resources/list" and not shows:
        return {**result, "resources": [told for told in result["resources"] if told["uri"] not in SHOWN_BY.values()]}
    return result


def _with_page(tool: Mapping[str, Any]) -> Mapping[str, Any]:
    uri = SHOWN_BY.get(tool["name"])
    return {**tool, "_meta": {**tool.get("_meta", {}), "ui": {"resourceUri": uri}}} if uri else tool
