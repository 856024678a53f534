"""Links of pages that are served below a path, as those of one of several tenants are.

A page is made as if it were at the root, so its links begin with a slash. Here, in the one place that all pages pass,
each gets the path in front. What is between quotes of an attribute is ours: a quote in any value of the data is escaped
by the templates, so no text of a page looks like an attribute.
"""

import re

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kandji_mcp_server.callers import BASE

_LINK = re.compile(rb'((?:\s(?:href|src|action|formaction)|\scontent)="(?:0;url=)?)/(?!/)')


class BelowPath:
    """Puts the path of the tenant before every link of an HTML page; where it is alone nothing is done."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        base = scope.get(BASE, "").encode()
        if not base:
            await self._app(scope, receive, send)
            return
        held: list[Message] = []  # the head of an HTML page, whose length is known once it is whole
        page = bytearray()

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_page(message):
                held.append(message)
            elif held and message["type"] == "http.response.body":
                page.extend(message.get("body", b""))
                if not message.get("more_body"):
                    await _send_whole(held.pop(), _LINK.sub(rb"\1" + base + b"/", bytes(page)), send)
            else:
                await send(message)

        await self._app(scope, receive, sent)


def _is_page(message: Message) -> bool:
    headers = MutableHeaders(scope=message)
    return headers.get("content-type", "").startswith("text/html") and "content-disposition" not in headers


async def _send_whole(head: Message, body: bytes, send: Send) -> None:
    headers = MutableHeaders(scope=head)
    if "content-length" in headers:
        headers["content-length"] = str(len(body))
    await send(head)
    await send({"type": "http.response.body", "body": body, "more_body": False})
