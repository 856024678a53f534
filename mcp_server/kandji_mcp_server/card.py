"""What the server is called in public: in ``server.json`` for the registry, and in its card, read before asking.

Both are public, so they tell what every copy of this program is, and nothing of the mirror or its tenant.
"""

from typing import Any

from mcp.types.version import SUPPORTED_PROTOCOL_VERSIONS

from kandji_schema.installation import mirror_version

REGISTRY_NAME = "io.github.kandji-mirror/kandji-mirror"
TITLE = "Kandji mirror"
DESCRIPTION = "A local, read-only SQL mirror of a Kandji (Iru) Apple fleet: dated, exact, complete answers."

CARD_SCHEMA = "https://static.modelcontextprotocol.io/schemas/v1/server-card.schema.json"
CARD_TYPE = "application/mcp-server-card+json"
CATALOG_TYPE = "application/ai-catalog+json"


def identity() -> dict[str, str]:
    """Return name, title, description and version, as the registry and the card have them."""
    return {
        "name": REGISTRY_NAME,
        "title": TITLE,
        "description": DESCRIPTION,
        "version": mirror_version(),
    }


def server_card(url: str = "") -> dict[str, Any]:
    """Return the MCP Server Card (SEP-2127). ``url`` is where clients reach the server, where that is known."""
    remote = {"type": "streamable-http", "url": url, "supportedProtocolVersions": list(SUPPORTED_PROTOCOL_VERSIONS)}
    return {"$schema": CARD_SCHEMA, **identity(), **({"remotes": [remote]} if url else {})}


def catalog_of(card: dict[str, Any], host: str) -> dict[str, Any]:
    """Return the AI Catalog of a host that has this server alone, with its card inside."""
    entry = {"identifier": f"urn:air:{host}:mcp:kandji-mirror", "type": CARD_TYPE, "data": card}
    return {"specVersion": "1.0", "entries": [entry]}
