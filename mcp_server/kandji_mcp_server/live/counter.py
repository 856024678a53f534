"""Where calls meet the desk: one desk a call, in a thread of its own, in the name of the client that asks."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from anyio import CapacityLimiter, to_thread
from mcp.server.mcpserver import Context

from kandji_mcp_server.context import ConfirmAt
from kandji_mcp_server.live.questions import Questions
from kandji_mirror.actions.codes import Codes, codes_of
from kandji_mirror.actions.desk import Desk
from kandji_mirror.actions.opening import desk_of
from kandji_schema.settings import Settings

T = TypeVar("T")

ASKED_BY_ANSWER = "2026-07-28"
"""From this revision of the protocol on a question is an answer; before, it needs a way to send requests."""


@dataclass(frozen=True)
class Counter:
    """What tools of live actions share."""

    settings: Settings
    confirm_at: ConfirmAt = ConfirmAt.CLIENT
    codes: Codes | None = None
    questions: Questions = field(default_factory=Questions)

    @property
    def agents_confirm(self) -> bool:
        """Whether an AI client may confirm by itself."""
        return self.settings.mirror_confirm == "agent"

    @property
    def names(self) -> bool:
        """Whether names of people and secrets may go to an AI client."""
        return self.settings.mirror_privacy == "off"

    @property
    def who_confirms(self) -> str:
        """Who says yes to an action, here and now, as the end of a sentence."""
        if self.agents_confirm:
            return "you confirm it yourself here, with token and serial_number of the preview"
        if self.confirm_at is ConfirmAt.TERMINAL:
            return "a human confirms it at a terminal (the answer has the command): nothing said here counts as a yes"
        return "a human is asked: by a question in this client, or where it can show none at a terminal"

    async def at_desk(self, ctx: Context[Any, Any], work: Callable[[Desk], T]) -> T:
        """What ``work`` makes of a desk. It ends even where the caller goes away: a request may be on its way."""
        client = _client(ctx)
        # a limiter of its own: an action never waits behind questions to the mirror
        return await to_thread.run_sync(self._work, client, work, limiter=CapacityLimiter(1))

    def _work(self, client: str, work: Callable[[Desk], T]) -> T:
        with desk_of(self.settings, client, self.codes) as desk:
            return work(desk)


def can_ask(ctx: Context[Any, Any], confirm_at: ConfirmAt) -> bool:
    """Whether the client may be asked, and can put a form before a human."""
    if confirm_at is not ConfirmAt.CLIENT or ctx.request_context.request is not None:  # the latter: it came over HTTP
        return False
    capabilities = ctx.client_capabilities
    form = capabilities.elicitation if capabilities else None
    if form is None or (form.form is None and form.url is not None):
        return False
    return (ctx.protocol_version or "") >= ASKED_BY_ANSWER or ctx.session.can_send_request


def counter_of(settings: Settings, confirm_at: ConfirmAt = ConfirmAt.CLIENT) -> Counter:
    """The counter of a server; :class:`ConfigurationError` where the way of one-time codes is wrong."""
    return Counter(settings, confirm_at, codes_of(settings))


def _client(ctx: Context[Any, Any]) -> str:
    """Name and version of the client, as it says."""
    params = ctx.session.client_params
    return f"{params.client_info.name} {params.client_info.version} (MCP)" if params else "an MCP client"
