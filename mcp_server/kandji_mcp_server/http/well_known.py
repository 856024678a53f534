"""What everybody may read without a token: where people sign in (RFC 9728), and the server's card."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from mcp.server.auth.handlers.metadata import ProtectedResourceMetadataHandler
from mcp.shared.auth import ProtectedResourceMetadata
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kandji_mcp_server.card import CARD_TYPE, CATALOG_TYPE, TITLE, catalog_of, server_card
from kandji_mcp_server.http.access import Access
from kandji_mcp_server.http.oauth import METADATA, OAuthRules

PATH = "/mcp"
"""Where questions are answered."""

CARDS = (f"{PATH}/server-card", "/.well-known/mcp/server-card.json")
"""Where the extension wants it, and where programs of earlier drafts look."""

CATALOG = "/.well-known/ai-catalog.json"

CACHED = {"Cache-Control": "public, max-age=3600"}


def public_routes(access: Access) -> list[Route]:
    """Make the routes that need no token, ``/health`` aside."""
    card = server_card(access.people.resource if access.people else "")
    routes = [_document(path, card, CARD_TYPE) for path in CARDS]
    if access.people:
        host = urlsplit(access.people.resource).hostname or ""
        routes += [_document(CATALOG, catalog_of(card, host), CATALOG_TYPE), *_metadata_routes(access.people)]
    return routes


def _metadata_routes(rules: OAuthRules) -> list[Route]:
    """Serve the metadata where the URL of the server puts it, also for clients that look at the root alone."""
    facts = {
        "resource": rules.resource,
        "authorization_servers": [rules.issuer],
        "scopes_supported": list(rules.offered) or None,
        "resource_name": TITLE,
    }
    metadata = ProtectedResourceMetadata.model_validate(facts)  # keeps each URL as it is written
    handle = ProtectedResourceMetadataHandler(metadata).handle
    paths = (urlsplit(rules.metadata_url).path, f"{METADATA}{PATH}", METADATA)
    return [Route(path, handle, methods=["GET"]) for path in dict.fromkeys(paths)]


def _document(path: str, document: Mapping[str, Any], kind: str) -> Route:
    answer = JSONResponse(document, headers=CACHED, media_type=kind)

    async def served(_: Request) -> Response:
        return answer

    return Route(path, served, methods=["GET"])
