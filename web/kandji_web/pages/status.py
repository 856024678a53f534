"""``/status``: how old and how whole every table is."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kandji_queries.reader import Reader
from kandji_web.asking import ask
from kandji_web.rendering import page


async def status(request: Request) -> Response:
    """Show every table with its age and its state."""
    tables = await ask(request, Reader.tables)
    return page(request, "status.html", title="Status", tables=tables)


ROUTES = [Route("/status", status)]
