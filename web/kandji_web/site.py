"""The pages that ``serve`` answers with beside MCP: one application, whose host names are checked before it."""

from collections.abc import Iterable
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from kandji_mcp_server.context import ServerContext
from kandji_queries.charts.colours import css
from kandji_schema.errors import MirrorError, NothingMirrored
from kandji_web.asking import Mirrors
from kandji_web.below_path import BelowPath
from kandji_web.bodies import MOST_BYTES, BoundedBodies
from kandji_web.failures import FaultsLogged, page_status, status_of
from kandji_web.headers import SafeHeaders
from kandji_web.kept import Beside, KeptAnswers
from kandji_web.pages import PAGES
from kandji_web.rendering import page
from kandji_web.sessions import Sessions
from kandji_web.shares import Shares
from kandji_web.sign_in import Known, SignedIn, sign_in_routes
from kandji_web.templates import load_all, render

ASSETS = Path(__file__).parent / "assets"


def make_site(
    common: ServerContext, personal: ServerContext, known: Known, beside: Beside, *, link_code: str = ""
) -> ASGIApp:
    """Make the application: ``known`` tells whose token somebody signs in with, ``link_code`` signs in once.

    ``beside`` has something done beside all requests.
    ``personal`` is read for people who may see personal data, ``common`` for everybody else.
    """
    sessions = Sessions(link_code)
    load_all()
    app = Starlette(
        routes=[*_routes(), *sign_in_routes(sessions, known)],
        exception_handlers={403: _refused, 404: _not_found, 413: _too_large, MirrorError: _wrong},
    )
    app.state.mirrors = Mirrors(common, personal)
    app.state.kept = KeptAnswers(beside)
    app.state.shares = Shares()
    return SafeHeaders(BelowPath(FaultsLogged(BoundedBodies(SignedIn(app, sessions, known)))))


def _routes() -> Iterable[BaseRoute]:
    yield Route("/assets/colours.css", _colours)
    yield Mount("/assets", StaticFiles(directory=ASSETS))
    for routes in PAGES:
        yield from routes


async def _colours(_: Request) -> Response:
    return Response(css(), media_type="text/css")


async def _not_found(request: Request, _: Exception) -> Response:
    return page(request, "message.html", title="No such page", words="There is no such page.", status=404)


async def _refused(request: Request, _: Exception) -> Response:
    return HTMLResponse(render("refused.html", {"path": request.url.path}), status_code=403)


async def _too_large(request: Request, _: Exception) -> Response:
    words = f"What was sent has more than {MOST_BYTES:,} bytes; a form is not larger."
    return page(request, "message.html", title="Too large", words=words, status=413)


async def _wrong(request: Request, error: Exception) -> Response:
    is_file = "." in request.url.path.rpartition("/")[2]
    status = status_of(error) if is_file else page_status(error)
    title = "Nothing is mirrored yet" if isinstance(error, NothingMirrored) else "No answer"
    return page(request, "message.html", title=title, words=str(error), status=status)
