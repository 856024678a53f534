"""What the tools of live actions share: the owner's rules, codes, open questions, and a service for each call."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from anyio import CapacityLimiter, to_thread
from mcp.server.mcpserver import Context

from kandji_mcp_server.actions import ConfirmAt
from kandji_mcp_server.actions.questions import OpenQuestions
from kandji_mcp_server.callers import person_of
from kandji_mirror.actions.codes import Codes, codes_of
from kandji_mirror.actions.factory import open_service
from kandji_mirror.actions.policy import ActionPolicy
from kandji_mirror.actions.service import ActionService
from kandji_schema.settings import Settings

T = TypeVar("T")

ASKED_BY_ANSWER = "2026-07-28"
"""From this revision of the protocol on a question is an answer; before, it needs a way to send requests."""


@dataclass(frozen=True)
class ActionContext:
    """One for a server. ``codes`` are those it sent; ``questions`` are those it asked."""

    settings: Settings
    policy: ActionPolicy
    codes: Codes | None = None
    questions: OpenQuestions = field(default_factory=OpenQuestions)

    @classmethod
    def from_settings(
        cls, settings: Settings, confirm_at: ConfirmAt = ConfirmAt.CLIENT, *, personal: bool = False
    ) -> "ActionContext":
        """Make a server's context; :class:`ConfigurationError` where the way of one-time codes is wrong.

        ``personal``: it is for people who may see personal data.
        """
        asks = confirm_at is ConfirmAt.CLIENT
        policy = ActionPolicy.from_settings(settings, agent=True, asks_in_client=asks, personal=personal)
        return cls(settings, policy, codes_of(settings))

    @property
    def who_confirms(self) -> str:
        """Who says yes to an action, here and now, as the end of a sentence."""
        if self.policy.agents_confirm:
            return "you confirm it yourself here, with token and serial_number of the preview"
        if not self.policy.asks_in_client:
            return "a human confirms it at a terminal (the answer has the command): nothing said here counts as a yes"
        return "a human is asked: by a question in this client, or where it can show none at a terminal"

    async def with_service(self, ctx: Context[Any, Any], work: Callable[[ActionService], T]) -> T:
        """Return what ``work`` makes of a service. It ends even where the caller goes away: a request may be sent."""
        # a limiter of its own: an action never waits behind questions to the mirror
        return await to_thread.run_sync(self._work, _client(ctx), _person(ctx), work, limiter=CapacityLimiter(1))

    def _work(self, client: str, person: str, work: Callable[[ActionService], T]) -> T:
        with open_service(self.settings, client, person=person, policy=self.policy, codes=self.codes) as service:
            return work(service)

    def can_ask(self, ctx: Context[Any, Any]) -> bool:
        """Tell whether the client may be asked, and can put a form before a human."""
        if not self.policy.asks_in_client or ctx.request_context.request is not None:  # the latter: it came over HTTP
            return False
        capabilities = ctx.client_capabilities
        form = capabilities.elicitation if capabilities else None
        if form is None or (form.form is None and form.url is not None):
            return False
        return (ctx.protocol_version or "") >= ASKED_BY_ANSWER or ctx.session.can_send_request


def _person(ctx: Context[Any, Any]) -> str:
    """Return who signed in, in the words of the audit log; empty where nobody did."""
    person = person_of(ctx)
    return person.words if person else ""


def _client(ctx: Context[Any, Any]) -> str:
    """Return name and version of the client, as it says."""
    params = ctx.session.client_params
    return f"{params.client_info.name} {params.client_info.version} (MCP)" if params else "an MCP client"
