"""What answers in ``serve``: MCP and pages over HTTP, of one tenant at the root or of each below its own path."""

import secrets
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from kandji_cli.output import tell
from kandji_cli.serve_tenant import ServedTenant
from kandji_cli.serve_words import say, ways_in
from kandji_schema.folders import CHECKS_FILE
from kandji_schema.settings import Settings

if TYPE_CHECKING:
    from kandji_mcp_server.http import Served
    from kandji_mcp_server.http.serving import Server
    from kandji_mcp_server.monitoring.samples import CheckCounts

_LINK = "This link signs in once, within 10 minutes"


def serve_one(tenant: ServedTenant) -> "Server":
    """Answer for one tenant, at the root; where it has a name below its path, too."""
    from kandji_mcp_server.http import HttpServer, TenantsServer

    settings, name, code = tenant.settings, tenant.settings.mirror_tenant, secrets.token_urlsafe(24)
    served = _served(tenant, code)
    server: Server
    if name:  # so clients need not know whether others are served beside it
        server = TenantsServer({name: served}, served.access, alone=name)
    else:
        server = HttpServer(served.context, served.access, pages=served.pages, checks=served.checks)
    say(settings, f"Pages for your browser: {server.pages_url}", "serve.pages", url=server.pages_url)
    if sys.stderr.isatty():  # a log keeps what it is told, and others may read it
        tell(f"{_LINK}: {server.pages_url}sign-in?once={code}")
    ways = f"AI clients connect to {server.url} {' or '.join(ways_in(settings, served.access))}"
    command = f"kandji-mirror{f' --tenant {name}' if name else ''} mcp-config CLIENT --http"
    say(settings, f"{ways}; `{command}` tells how.", "serve.listening", url=server.url)
    return server


def serve_all(common: Settings, tenants: Sequence[ServedTenant]) -> "Server":
    """Answer for several tenants, each below its own path; ``common`` says on which address."""
    from kandji_mcp_server.http import TenantsServer, read_access

    codes = {tenant.name: secrets.token_urlsafe(24) for tenant in tenants}
    served = {tenant.name: _served(tenant, codes[tenant.name]) for tenant in tenants}
    server = TenantsServer(served, read_access(common, make_token=True))
    root = server.pages_url
    for tenant in tenants:
        own, how = f"{root}{tenant.name}/", " or ".join(ways_in(tenant.settings, served[tenant.name].access))
        say(common, f"{tenant.name}: pages {own}, AI clients {own}mcp {how}", "serve.pages", url=own)
        if sys.stderr.isatty():
            tell(f"  {_LINK}: {own}sign-in?once={codes[tenant.name]}")
    tells = "`kandji-mirror --tenant NAME mcp-config CLIENT --http` tells how."
    words = f"AI clients connect to {root}NAME/mcp with the token of that tenant; {tells}"
    say(common, words, "serve.listening", url=f"{root}NAME/mcp")
    return server


def _served(tenant: ServedTenant, code: str) -> "Served":
    from kandji_mcp_server import ServerContext
    from kandji_mcp_server.http import Served, read_access
    from kandji_web import make_site

    context = ServerContext(tenant.settings, tenant.background)
    allowed = read_access(tenant.settings, make_token=True)
    return Served(context, allowed, partial(make_site, link_code=code), partial(_checks, tenant.settings))


def _checks(settings: Settings) -> "CheckCounts":
    """Count how the checks of the home stand, for the metrics."""
    from kandji_mcp_server.monitoring.samples import CheckCounts
    from kandji_watch.standing import FOUND, TROUBLE, WRONG, overview

    if not (settings.home / CHECKS_FILE).exists():
        return CheckCounts()
    found = overview(settings.home, settings.privacy, datetime.now(UTC))
    return CheckCounts(
        on=len(found.on),
        without_answer=sum(line.state in {TROUBLE, WRONG} for line in found.lines) + bool(found.error),
        findings=sum(line.found for line in found.lines if line.state == FOUND),
        waiting=len(found.waiting),
        failed=len(found.failed),
    )
