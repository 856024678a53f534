"""``GET /metrics``, ``/healthz`` and ``/readyz``: who may ask, and how little an answer costs.

Metrics need the server's token, a person's, or the one for metrics, which opens nothing else. The probes are one word
and need none, like ``/health``; all stand behind the check of host names. What is asked for again within seconds is
told again, and where a disk does not answer one thread waits for it, however often somebody asks.
"""

import asyncio
import hmac
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from threading import Thread
from typing import Generic, TypeVar

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from kandji_mcp_server.http.access import Access
from kandji_mcp_server.http.auth import UNKNOWN, KnownTokens, Refusal, bearer_of, log_refusal
from kandji_mcp_server.monitoring.probes import OK, SILENT, liveness, readiness
from kandji_mcp_server.monitoring.samples import Watched

METRICS, LIVE, READY = "/metrics", "/healthz", "/readyz"

PATHS = frozenset({METRICS, LIVE, READY})

FRESH_SECONDS = 2.0
"""An answer is given again for so long."""

PATIENCE = 5.0
"""Seconds to wait for an answer; Prometheus itself waits ten."""

NO_STORE = {"Cache-Control": "no-store"}

T = TypeVar("T")


class Renewed(Generic[T]):
    """A value that is made anew, in a thread of its own, when somebody asks and it is older than some seconds."""

    def __init__(self, make: Callable[[], T], seconds: float = FRESH_SECONDS) -> None:
        self._make = make
        self._seconds = seconds
        self._made_at = float("-inf")
        self._coming: Future[T] | None = None

    async def get(self, patience: float = PATIENCE) -> T:
        """Return it; :class:`TimeoutError` where that takes longer than ``patience`` seconds."""
        coming = self._coming
        if coming is None or (coming.done() and time.monotonic() - self._made_at > self._seconds):
            coming = self._coming = Future()
            Thread(target=self._renew, args=(coming,), name="monitoring", daemon=True).start()
        return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(coming)), patience)

    def _renew(self, coming: "Future[T]") -> None:
        try:
            found = self._make()
        except BaseException as error:
            self._made_at = time.monotonic()
            coming.set_exception(error)
        else:
            self._made_at = time.monotonic()
            coming.set_result(found)


class Monitoring:
    """Answers the three paths; every other request goes on to ``app``."""

    def __init__(
        self,
        app: ASGIApp,
        access: Access,
        tokens: KnownTokens,
        watched: Sequence[Watched],
        sessions: Callable[[], int],
    ) -> None:
        self._app = app
        self._tokens = tokens
        self._own_token = access.metrics_token.encode() if access.metrics_token else None
        self._watched = watched
        self._text = Renewed(_exposition(watched, sessions))
        self._ready = Renewed(lambda: readiness(watched))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"] not in PATHS:
            await self._app(scope, receive, send)
            return
        await (await self._answer(scope))(scope, receive, send)

    async def _answer(self, scope: Scope) -> Response:
        if scope["method"] not in {"GET", "HEAD"}:
            return PlainTextResponse("Method Not Allowed", status_code=405, headers={"Allow": "GET, HEAD"})
        if scope["path"] == LIVE:
            return _word(liveness(self._watched))
        if scope["path"] == READY:
            return _word(await self._readiness())
        refusal = await self._refusal(scope)
        return await self._metrics() if refusal is None else refusal

    async def _readiness(self) -> str:
        try:
            return await self._ready.get()
        except Exception:  # whatever keeps it from looking keeps it from answering
            return SILENT

    async def _metrics(self) -> Response:
        from kandji_mcp_server.monitoring.exposition import CONTENT_TYPE  # loaded when metrics are first asked for

        try:
            text = await self._text.get()
        except TimeoutError:
            return PlainTextResponse("The metrics take too long.", status_code=503, headers=NO_STORE)
        return Response(text, headers={**NO_STORE, "Content-Type": CONTENT_TYPE})

    async def _refusal(self, scope: Scope) -> Response | None:
        """Return what is answered to whom the metrics are none of their business."""
        token = bearer_of(Headers(scope=scope))
        if token is None:
            return _refused(scope, UNKNOWN)
        if self._own_token and hmac.compare_digest(token.encode("utf-8", "surrogatepass"), self._own_token):
            return None
        _, refusal = await self._tokens.known(token)
        return _refused(scope, refusal) if refusal else None


def _refused(scope: Scope, refusal: Refusal) -> Response:
    log_refusal(scope, refusal)
    return refusal.response(None)


def _word(word: str) -> Response:
    return JSONResponse({"status": word}, status_code=200 if word == OK else 503, headers=NO_STORE)


def _exposition(watched: Sequence[Watched], sessions: Callable[[], int]) -> Callable[[], bytes]:
    """Return what makes the text. The library is loaded, and counting begins, in the first thread that makes one."""
    made: list[Callable[[], bytes]] = []

    def text() -> bytes:
        if not made:
            from kandji_mcp_server.monitoring.exposition import Exposition  # a third of a second, which few need

            made.append(Exposition(watched, sessions).text)
        return made[0]()

    return text
