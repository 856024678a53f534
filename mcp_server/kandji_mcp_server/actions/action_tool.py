"""One tool for one action: previewed, asked about, and then done; the three steps share their arguments.

What may be done, and by whom, the action service says; here a call becomes its request, and its result an answer.
"""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

from mcp.server.elicitation import AcceptedElicitation, CancelledElicitation, DeclinedElicitation, ElicitationResult
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.resolve import Elicit, Resolve
from mcp.types import CallToolResult, ToolAnnotations
from pydantic import BaseModel, BeforeValidator, Field

from kandji_mcp_server.actions.answers import ActionAnswer, pending, performed
from kandji_mcp_server.actions.arguments import annotations, given, required, text
from kandji_mcp_server.actions.context import ActionContext
from kandji_mcp_server.context import ServerContext
from kandji_mcp_server.registration import ToolSpec
from kandji_mcp_server.render.answers import tool_result
from kandji_mirror.actions.confirmations import Confirmation
from kandji_mirror.actions.policy import ActionRequest, ConfirmedBy
from kandji_mirror.actions.preview import Preview
from kandji_mirror.actions.results import Performed
from kandji_mirror.actions.service import ActionService
from kandji_schema.actions.record import Action, Risk, TargetKind
from kandji_schema.errors import NotConfirmed

Call = Callable[..., Any]


class Answer(BaseModel):
    """What the human is asked."""

    # anything but the boolean true is a no, whatever else could be read as one
    confirm: Annotated[bool, BeforeValidator(lambda given: given is True)] = Field(
        default=False, description="Yes, do this to exactly this target."
    )


class CodedAnswer(Answer):
    """What the human is asked where a one-time code was sent to a person."""

    code: str = Field(default="", description="The one-time code that was sent for this action.")


class NotAsked:
    """No human was asked: the client cannot, or the agent confirms by itself."""


def spec(record: Action, context: ActionContext) -> ToolSpec:
    """Make the tool of a record; without a schema of its answer, which would be the same kilobyte for each."""
    coded = context.codes is not None
    hints = annotations(record, agent=context.policy.agents_confirm, coded=coded, who=context.who_confirms)
    form: Any = CodedAnswer if coded else Answer
    prepare = _shaped(partial(_prepare, record, context), f"{record.tool}.prepare", hints, Preview)
    preview = {"preview": Annotated[Preview, Resolve(prepare)]}
    ask = _shaped(partial(_ask, record, context), f"{record.tool}.ask", preview, form | NotAsked | Elicit[form])
    answered = {"answer": Annotated[ElicitationResult[form], Resolve(ask)]}
    tool = _shaped(partial(_carry_out, context), record.tool, {**hints, **preview, **answered}, CallToolResult)
    tool.__doc__ = _description(record, context.who_confirms)
    invalid = partial(_invalid, record, context)
    return ToolSpec(tool, record.title, _hints(record), required=required(record), invalid=invalid, exact=True)


async def _prepare(record: Action, context: ActionContext, ctx: Context[ServerContext], **values: Any) -> Preview:
    """Preview what the call asks for, which records what is refused of it."""
    named = () if record.target is TargetKind.TENANT else (text(values, record.target.name.lower()),)
    request = ActionRequest(
        action=record,
        targets=named,
        arguments=given(values),
        reason=text(values, "reason"),
        confirm=values.get("confirm"),
        token=text(values, "token"),
    )
    (preview,) = await context.with_service(ctx, lambda service: service.preview(request))
    return preview if ctx.request_state is None else context.questions.joined(preview)


async def _ask(record: Action, context: ActionContext, ctx: Context[ServerContext], preview: Preview) -> Any:
    """Put the preview before a human, where the client can and one has to be asked."""
    if record.only_reads or context.policy.agents_confirm or not context.can_ask(ctx):
        return NotAsked()
    context.questions.asked(preview)
    await context.with_service(ctx, lambda service: service.send_code(preview))
    return Elicit(preview.question(named=context.policy.shows_names), CodedAnswer if context.codes else Answer)


async def _carry_out(
    context: ActionContext, ctx: Context[ServerContext], preview: Preview, answer: Any, **values: Any
) -> CallToolResult:
    context.questions.answered(preview)
    return tool_result(
        await context.with_service(ctx, lambda service: _ended(service, context, preview, answer, values))
    )


def _ended(
    service: ActionService, context: ActionContext, preview: Preview, answer: Any, values: dict[str, Any]
) -> ActionAnswer:
    match answer:
        case AcceptedElicitation(data=NotAsked()):
            return _not_asked(service, context, preview, values)
        case AcceptedElicitation(data=Answer(confirm=True) as said):
            code = said.code if isinstance(said, CodedAnswer) else ""
            confirmation = service.confirm(preview, ConfirmedBy.ELICITATION, code=lambda: code)
            return _done(service, context, preview, confirmation)
        case CancelledElicitation():
            how = "the human closed the question"
        case DeclinedElicitation() | _:
            how = "the human said no"
    service.decline(preview, how)
    raise NotConfirmed(f"{preview.action.title}: {how}. Nothing was sent. (action {preview.id})")


def _not_asked(
    service: ActionService, context: ActionContext, preview: Preview, values: dict[str, Any]
) -> ActionAnswer:
    """Do what needs no human, or what an AI client confirms itself; else offer a token for a confirmation elsewhere."""
    if preview.action.only_reads:
        return _done(service, context, preview, service.confirm_read(preview))
    token = text(values, "token")
    if not token:
        return pending(preview, service.offer(preview), context.policy, coded=bool(context.codes))
    confirmation = service.confirm(
        preview,
        ConfirmedBy.AGENT,
        lambda: text(values, "serial_number"),
        code=lambda: text(values, "code"),
        token=token,
    )
    return _done(service, context, preview, confirmation)


def _done(service: ActionService, context: ActionContext, preview: Preview, confirmation: Confirmation) -> ActionAnswer:
    done = service.perform(preview, confirmation)
    notes = (*done.notes, *service.refresh(done))
    if done.error is not None:
        raise _told(done, named=context.policy.shows_names)
    return performed(done, notes, private=not context.policy.shows_names)


def _told(done: Performed, *, named: bool) -> ToolError:
    """Return the error with what was found and noted, since an error is all that the model reads."""
    words = [str(done.error), *([done.observed.words] if done.observed else []), *done.notes]
    return ToolError(done.preview.scrubbed(" ".join(words), personal=not named))


async def _invalid(record: Action, context: ActionContext, ctx: Context[Any, Any], error: str) -> None:
    """Record arguments that do not fit the schema: they are an attempt too."""

    def refuse(service: ActionService) -> None:
        with service.refusals(record.name):
            raise NotConfirmed(error)

    try:
        await context.with_service(ctx, refuse)
    except NotConfirmed:
        return


def _shaped(function: Call, name: str, hints: dict[str, Any], returns: Any) -> Call:
    """Make a function with those parameters by name, for the SDK, which reads signatures."""

    async def shaped(**arguments: Any) -> Any:
        return await function(**arguments)

    types = {"ctx": Context[ServerContext], **hints}
    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [inspect.Parameter(n, keyword, annotation=kind) for n, kind in types.items()]
    shaped.__signature__ = inspect.Signature(parameters, return_annotation=returns)  # type: ignore[attr-defined]  # read by inspect
    shaped.__annotations__ = {**types, "return": returns}
    shaped.__name__, shaped.__qualname__ = name.rpartition(".")[2], name
    return shaped


def _description(record: Action, who: str) -> str:
    lines = [f"{record.title}, live. {' '.join(record.consequences)}"]
    if record.platforms:
        lines.append(f"For {', '.join(record.platforms)}.")
    if not record.only_reads:
        lines.append(f"Only when a person asked for exactly this; {who}.")
    return " ".join(lines)


def _hints(record: Action) -> ToolAnnotations:
    """Hints by which a client asks its human. Reading a secret is none of the readings it may approve by itself."""
    reads = record.only_reads
    return ToolAnnotations(
        read_only_hint=reads,
        destructive_hint=record.secret or record.risk in {Risk.CHANGES, Risk.DESTROYS},
        idempotent_hint=reads or record.method in {"PATCH", "DELETE"},
        open_world_hint=True,
    )
