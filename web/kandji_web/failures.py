"""How errors are answered: one of ours with its status of HTTP, a fault of the program without what it was about."""

import logging
import traceback

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

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
from kandji_schema.events import about

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


def status_of(error: Exception) -> int:
    """Return the status of an error."""
    return next((code for kind, code in STATUS if isinstance(error, kind)), 500)


def page_status(error: Exception) -> int:
    """Return the status of a page that tells an error: that nothing is mirrored yet is a state, no fault of the page.

    A browser that gets 503 with a page writes an error into its console.
    """
    return 200 if isinstance(error, NothingMirrored) else status_of(error)


log = logging.getLogger(__name__)

FAULT = "This is a fault of the program; its log tells the place. Other pages go on."


class FaultsLogged:
    """Answers a fault with 500 and logs its place and kind, but no value: those may be of people."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        begun = False

        async def sent(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, sent)
        except Exception as error:  # whatever it is, the server goes on
            place = "".join(traceback.format_tb(error.__traceback__)[-3:])
            kind = type(error).__name__
            log.error("A page failed with %s:\n%s", kind, place, extra=about("page.fault"))  # no value of it
            if not begun:
                await PlainTextResponse(FAULT, status_code=500)(scope, receive, send)
