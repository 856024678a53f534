"""One tool for one record: prepared, asked about, and then done; the three steps share their arguments."""

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

from kandji_mcp_server.context import ServerContext
from kandji_mcp_server.live.answers import ActionAnswer, awaiting, performed
from kandji_mcp_server.live.arguments import annotations, given, needs_no_yes, required, text
from kandji_mcp_server.live.counter import Counter, can_ask
from kandji_mcp_server.registration import ToolSpec
from kandji_mcp_server.render.answers import tool_result
from kandji_mirror.actions.desk import Desk, Done, Yes
from kandji_mirror.actions.plan import Plan
from kandji_schema.actions.record import Action, Risk, Target
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


def spec(record: Action, counter: Counter) -> ToolSpec:
    """The tool of a record. Without a schema of its answer, which would be the same a kilobyte for each of them."""
    hints = annotations(record, agent=counter.agents_confirm, coded=counter.codes is not None, who=counter.who_confirms)
    form: Any = CodedAnswer if counter.codes else Answer
    prepare = _shaped(partial(_prepare, record, counter), f"{record.tool}.prepare", hints, Plan)
    plan = {"plan": Annotated[Plan, Resolve(prepare)]}
    ask = _shaped(partial(_ask, record, counter), f"{record.tool}.ask", plan, form | NotAsked | Elicit[form])
    answered = {"answer": Annotated[ElicitationResult[form], Resolve(ask)]}
    body = partial(_carry_out, counter)
    tool = _shaped(body, record.tool, {**hints, **plan, **answered}, CallToolResult)
    tool.__doc__ = _description(record, counter.who_confirms)
    invalid = partial(_invalid, record, counter)
    return ToolSpec(tool, record.title, _hints(record), required=required(record), invalid=invalid, exact=True)


async def _prepare(record: Action, counter: Counter, ctx: Context[ServerContext], **values: Any) -> Plan:
    def prepared(desk: Desk) -> Plan:
        target = text(values, record.target.name.lower()) if record.target is not Target.TENANT else ""
        with desk.journal.refusals(record.name, target):
            if not needs_no_yes(record) and values.get("confirm") is not True:
                raise NotConfirmed("confirm must be the boolean true, and nothing else. Nothing was sent.")
            if record.secret and not text(values, "reason").strip():
                raise NotConfirmed("A secret is only shown for a reason; give one in `reason`. Nothing was sent.")
        reason = text(values, "reason")
        return desk.preview(record, target, given(values), reason, by_name=counter.names)

    plan = await counter.at_desk(ctx, prepared)
    return plan if ctx.request_state is None else counter.questions.joined(plan)


async def _ask(record: Action, counter: Counter, ctx: Context[ServerContext], plan: Plan) -> Any:
    if needs_no_yes(record) or counter.agents_confirm or not can_ask(ctx, counter.confirm_at):
        return NotAsked()
    counter.questions.asked(plan)
    await counter.at_desk(ctx, lambda desk: desk.challenge(plan))
    return Elicit(plan.question(named=counter.names), CodedAnswer if counter.codes else Answer)


async def _carry_out(
    counter: Counter, ctx: Context[ServerContext], plan: Plan, answer: Any, **values: Any
) -> CallToolResult:
    return tool_result(await counter.at_desk(ctx, lambda desk: _ended(desk, counter, plan, answer, values)))


def _ended(desk: Desk, counter: Counter, plan: Plan, answer: Any, values: dict[str, Any]) -> ActionAnswer:
    counter.questions.answered(plan)
    match answer:
        case AcceptedElicitation(data=NotAsked()):
            return _unasked(desk, counter, plan, values)
        case AcceptedElicitation(data=Answer(confirm=True) as said):
            code = said.code if isinstance(said, CodedAnswer) else ""
            yes = desk.confirm(plan, plan.subject.proof, "elicitation", lambda: code)
            return _done(desk, counter, plan, yes)
        case CancelledElicitation():
            how = "the human closed the question"
        case DeclinedElicitation() | _:
            how = "the human said no"
    desk.journal.declined(plan, how)
    raise NotConfirmed(f"{plan.action.title}: {how}. Nothing was sent. (action {plan.id})")


def _unasked(desk: Desk, counter: Counter, plan: Plan, values: dict[str, Any]) -> ActionAnswer:
    if needs_no_yes(plan.action):
        return _done(desk, counter, plan, desk.unasked(plan))
    token = text(values, "token")
    if not token:
        offered = desk.offer(plan)
        if counter.agents_confirm:
            desk.challenge(plan)  # at a terminal it is sent when somebody sits there
        return awaiting(plan, offered, agent=counter.agents_confirm, named=counter.names, coded=bool(counter.codes))
    plan = desk.joined(plan, token)
    yes = desk.confirm(plan, text(values, "serial_number"), "agent", lambda: text(values, "code"))
    desk.redeem(plan, token)
    return _done(desk, counter, plan, yes)


def _done(desk: Desk, counter: Counter, plan: Plan, yes: Yes) -> ActionAnswer:
    done = desk.perform(plan, yes)
    notes = (*done.notes, *desk.refreshed(done))
    if done.error is not None:
        raise _told(done, counter)
    return performed(done, notes, private=not counter.names)


def _told(done: Done, counter: Counter) -> ToolError:
    """The error with what was found and noted, since an error is all that the model reads."""
    words = [str(done.error), *([done.found.words] if done.found else []), *done.notes]
    return ToolError(done.plan.scrubbed(" ".join(words), personal=not counter.names))


async def _invalid(record: Action, counter: Counter, ctx: Context[Any, Any], error: str) -> None:
    """Arguments that do not fit the schema are an attempt too."""

    def refuse(desk: Desk) -> None:
        with desk.journal.refusals(record.name):
            raise NotConfirmed(error)

    try:
        await counter.at_desk(ctx, refuse)
    except NotConfirmed:
        return


def _shaped(function: Call, name: str, hints: dict[str, Any], returns: Any) -> Call:
    """A function with those parameters by name, for the SDK, which reads signatures."""

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
    if not needs_no_yes(record):
        lines.append(f"Only when a person asked for exactly this; {who}.")
    return " ".join(lines)


def _hints(record: Action) -> ToolAnnotations:
    """Hints by which a client asks its human. Reading a secret is none of the readings it may approve by itself."""
    reads = needs_no_yes(record)
    return ToolAnnotations(
        read_only_hint=reads,
        destructive_hint=record.secret or record.risk in {Risk.CHANGES, Risk.DESTROYS},
        idempotent_hint=reads or record.method in {"PATCH", "DELETE"},
        open_world_hint=True,
    )
