"""The pages that ``serve`` answers with beside MCP: one application, whose host names are checked before it."""

from collections.abc import Iterable
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from kandji_mcp_server.context import ServerContext
from kandji_schema.errors import (
    Busy,
    Interrupted,
    MirrorError,
    NothingMirrored,
    StatementError,
    TookTooLong,
    UnknownName,
    UsageError,
)
from kandji_web.asking import Mirrors
from kandji_web.headers import SafeHeaders
from kandji_web.pages import PAGES
from kandji_web.rendering import page
from kandji_web.sessions import Sessions
from kandji_web.sign_in import Known, SignedIn, sign_in_routes

ASSETS = Path(__file__).parent / "assets"

STATUS: tuple[tuple[type[MirrorError], int], ...] = (
    (UnknownName, 404),
    (UsageError, 400),
    (Busy, 503),
    (TookTooLong, 504),
    (StatementError, 400),
    (NothingMirrored, 503),
    (Interrupted, 499),
)
"""The first kind that fits an error is how it is answered; 500 for all others."""


def make_site(common: ServerContext, personal: ServerContext, known: Known, *, link_code: str = "") -> ASGIApp:
    """Make the application: ``known`` tells whose token somebody signs in with, ``link_code`` signs in once.

    ``personal`` is read for people who may see personal data, ``common`` for everybody else.
    """
    sessions = Sessions(link_code)
    app = Starlette(
        routes=[*_routes(), *sign_in_routes(sessions, known)],
        exception_handlers={404: _not_found, MirrorError: _wrong},
    )
    app.state.mirrors = Mirrors(common, personal)
    return SafeHeaders(SignedIn(app, sessions, known))


def _routes() -> Iterable[BaseRoute]:
    yield Mount("/assets", StaticFiles(directory=ASSETS))
    for routes in PAGES:
        yield from routes


async def _not_found(request: Request, _: Exception) -> Response:
    return page(request, "message.html", title="No such page", words="There is no such page.", status=404)


async def _wrong(request: Request, error: Exception) -> Response:
    status = next((code for kind, code in STATUS if isinstance(error, kind)), 500)
    return page(request, "message.html", title="No answer", words=str(error), status=status)
