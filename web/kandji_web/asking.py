"""Questions of pages: each request asks the mirror that its caller may see, and is stopped when the browser leaves."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import anyio
from starlette.requests import Request

from kandji_mcp_server.callers import CALLER, OWN, Caller
from kandji_mcp_server.context import CELL_BYTES, ServerContext
from kandji_mcp_server.tally import Face
from kandji_queries.engine.limits import QueryLimits
from kandji_queries.reader import Reader
from kandji_queries.results.data_notes import SYNC_COMMAND
from kandji_queries.results.result import JsonResult
from kandji_schema.errors import Interrupted, TookTooLong
from kandji_web.shares import Shares
from kandji_web.sign_in import SESSION

T = TypeVar("T")


@dataclass(frozen=True)
class Mirrors:
    """What is read for whom: ``common`` by everybody, ``personal`` by people who may see personal data."""

    common: ServerContext
    personal: ServerContext

    def of(self, caller: Caller) -> ServerContext:
        """Return what a caller reads."""
        return self.personal if caller.rights.personal else self.common


def caller_of(request: Request) -> Caller:
    """Return who asks; pages are served to nobody else than the signed in."""
    found: Caller | None = request.scope.get(CALLER)
    return found or Caller(OWN)


def mirror_of(request: Request) -> ServerContext:
    """Return the mirror that is read for whoever asks."""
    mirrors: Mirrors = request.app.state.mirrors
    return mirrors.of(caller_of(request))


def limits_of(request: Request) -> QueryLimits:
    """Return the limits of a statement whose rows go to a page or a file, cells as a page shows them."""
    settings = mirror_of(request).settings
    return QueryLimits(
        seconds=settings.mirror_query_seconds, memory_mb=settings.mirror_query_memory_mb, cell_bytes=CELL_BYTES
    )


async def ask(request: Request, question: Callable[[Reader], T]) -> T:
    """Answer a question of ours in a thread of its own; the statement stops when the browser leaves.

    Raises what the question raises, :class:`TookTooLong` where all its statements together take longer than one may,
    and :class:`Interrupted` where nobody waits any more.
    """
    return await until_gone(request, lambda: in_turn(request, question))


async def in_turn(request: Request, question: Callable[[Reader], T]) -> T:
    """Answer a question when it is the turn of whoever asks, within the time of a statement."""
    shares: Shares = request.app.state.shares
    async with shares.of(client_of(request)):
        return await in_time(mirror_of(request), question)


async def in_time(mirror: ServerContext, question: Callable[[Reader], T]) -> T:
    """Answer a question to a mirror within the time of a statement, whoever asks."""
    seconds = mirror.settings.mirror_query_seconds
    try:
        return await mirror.ask(
            lambda reader: question(reader.with_remedy(SYNC_COMMAND)), face=Face.PAGES, seconds=seconds
        )
    except TimeoutError:
        raise TookTooLong(
            f"The page needed more than {seconds:g} s and was stopped. Narrow it, or ask for less at once."
        ) from None


def client_of(request: Request) -> str:
    """Name who asks: a person, a session, or the address of a program that sends the token."""
    person, session = caller_of(request).person, request.scope.get(SESSION)
    if person:
        return person.subject
    if session:
        return f"session {session.name}"
    return f"token {request.client.host if request.client else ''}"


async def run_sql(
    request: Request, sql: str, params: Mapping[str, Any] | None = None, limits: QueryLimits | None = None
) -> JsonResult:
    """Run a statement of anyone's in a process of its own, as MCP does; it stops when the browser leaves.

    ``limits`` are those of AI clients unless given.
    """
    mirror, client = mirror_of(request), client_of(request)

    def run() -> Awaitable[JsonResult]:
        return mirror.run_sql(sql, params, client, limits=limits, remedy=SYNC_COMMAND, face=Face.PAGES)

    return await until_gone(request, run)


async def until_gone(request: Request, work: Callable[[], Awaitable[T]]) -> T:
    """Work as long as the browser waits; :class:`Interrupted` where it left."""
    done: list[T] = []
    failed: list[Exception] = []
    await request.body()  # what follows it is the end of the connection
    async with anyio.create_task_group() as tasks:

        async def worked() -> None:
            try:
                done.append(await work())
            except Exception as error:  # the group would wrap it; it is raised below as it is
                failed.append(error)
            tasks.cancel_scope.cancel()

        async def watched() -> None:
            while (await request.receive())["type"] != "http.disconnect":
                pass
            tasks.cancel_scope.cancel()

        tasks.start_soon(worked)
        tasks.start_soon(watched)
    if failed:
        raise failed[0]
    if not done:
        raise Interrupted("The page was left before its answer was there; the statement was stopped.")
    return done[0]
