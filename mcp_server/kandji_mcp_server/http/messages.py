"""Bodies of requests: whole, bounded, and readable before the protocol sees them; and whether their sender is gone."""

import anyio
from mcp.types import JSONRPCError
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kandji_mcp_server.protocol_errors import BOM, error_bytes, errors_in, too_long
from kandji_mcp_server.registration import DISCONNECTED

LARGEST = 4 * 1024 * 1024
"""Bytes of one message."""


class MessageCheck:
    """Answers messages that are none with an error, and tells what handles the others when their sender leaves."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        body = await _read_body(receive)
        if body is None:
            return  # whoever sent it is gone
        if refusal := _refusal(body):
            await refusal(scope, receive, send)
            return
        scope[DISCONNECTED] = gone = anyio.Event()
        whole: list[Message] = [{"type": "http.request", "body": body.removeprefix(BOM), "more_body": False}]

        async def replayed() -> Message:
            message = whole.pop() if whole else await receive()
            if message["type"] == "http.disconnect":
                gone.set()
            return message

        await self._app(scope, replayed, send)


async def _read_body(receive: Receive) -> bytes | None:
    """Read all of it, or a byte more than is allowed; None where the connection ends before."""
    body = bytearray()
    while len(body) <= LARGEST:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break
    return bytes(body[: LARGEST + 1])


def _refusal(body: bytes) -> Response | None:
    if len(body) > LARGEST:
        return _error_response(413, too_long(body, LARGEST))
    found = errors_in(body.removeprefix(BOM))
    if not found:
        return None
    (first, *others) = found
    return _error_response(400, first.model_copy(update={"id": None}) if others else first)


def _error_response(status: int, error: JSONRPCError) -> Response:
    return Response(error_bytes(error), status_code=status, media_type="application/json")
