"""What a browser may send: nothing with a request that only asks, and a form of bounded size."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 700_000
"""Bytes of a form as it is sent; a text may take three times its size in it."""

ASKS = frozenset({"GET", "HEAD"})


class BoundedBodies:
    """Counts what comes with each request, whatever its head says of that.

    One that tells its length in two ways gets 400; beyond the bound whoever reads it gets :class:`HTTPException` 413.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if "content-length" in headers and "transfer-encoding" in headers:
            await PlainTextResponse("The length of the body is told in two ways.", status_code=400)(
                scope, receive, send
            )
            return
        most = 0 if scope["method"] in ASKS else MOST_BYTES
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > most:
                raise HTTPException(413)
            return message

        await self._app(scope, counted, send)
