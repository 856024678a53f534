"""How functions become tools: strict about arguments, clear about failures, small as messages.

A tool also ends its work when the connection ends over which it was called.
"""

import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, TypeVar

import anyio
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError, UnexpectedToolError
from mcp.server.mcpserver.tools import Tool
from mcp.types import ToolAnnotations
from pydantic import Field, ValidationError

from kandji_mcp_server.callers import person_of
from kandji_mcp_server.render.sanitize import sanitized
from kandji_schema.errors import MirrorError

READS = ToolAnnotations(read_only_hint=True, destructive_hint=False, open_world_hint=False)
"""Hints of a tool that answers from the mirror alone; that it may be repeated goes without saying."""

WRITES_HERE = ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=False)
"""Hints of a tool that writes files of its own, new ones each time."""

ASKS_TENANT = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=True)
"""Hints of a tool that reads from the tenant into the mirror."""

LONGEST_VALUE = 80
"""Most characters of a wrong value that are repeated in an error."""

LONGEST_ERROR = 2_000
"""Most characters of an error: it may quote what was sent."""

MOST_ERRORS = 5
"""Most wrong arguments that one error names."""

MOST_ARGUMENTS = 100_000
"""Most characters of all arguments of a call: a statement may have 20,000, and nothing needs more than its values."""

_SDK_ON_ANSWERS = "Resolver "
"""How the SDK's own errors about answers of the client begin; it has no class for them."""

DISCONNECTED = "kandji_mirror.gone"
"""Key of an HTTP scope: an event that is set when the connection of the request ends."""

T = TypeVar("T")
OnInvalid = Callable[[Context[Any, Any], str], Awaitable[None]]


@dataclass(frozen=True)
class ToolSpec:
    """One tool. Its function's name, signature and docstring are the tool's; ``more`` adds to the description.

    ``required`` are arguments the schema calls so although the function itself says what is wrong without them.
    ``invalid`` is told of calls that never got to the function. ``exact`` takes a value in its own type only.
    """

    function: Callable[..., Any]
    title: str
    annotations: ToolAnnotations = field(default_factory=lambda: READS)
    more: Callable[[], str] = str
    required: tuple[str, ...] = ()
    invalid: OnInvalid | None = None
    exact: bool = False


class ArgumentsTooLarge(ToolError):
    """More was sent than any tool needs."""


class StrictTool(Tool):
    """A tool whose foreseeable failures reach the model in our words; anything else stays in the server's log."""

    invalid: OnInvalid | None = Field(None, exclude=True)
    exact: bool = Field(False, exclude=True)

    async def run(self, arguments: dict[str, Any], context: Context[Any, Any], convert_result: bool = False) -> Any:
        """Run the tool. :class:`ToolError` names the value, the rule and the remedy."""
        try:
            _refuse_huge(self.name, arguments)
            given = self._given_arguments(arguments)
            return await run_while_connected(context, lambda: Tool.run(self, given, context, convert_result))
        except ToolError as error:
            cause = error.__cause__
            if isinstance(cause, MirrorError):
                raise ToolError(error_text(str(cause))) from cause
            told = self._error_before_run(error)
            if not told:
                raise
            if self.invalid is not None:
                await self.invalid(context, told)
            raise ToolError(told) from cause

    def _given_arguments(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return what was given: null, as many clients send it, means that an optional argument was left out."""
        required = self.parameters.get("required", ())
        given = {name: value for name, value in arguments.items() if value is not None or name in required}
        return given if self.exact else {name: self._as_text_if_wanted(name, value) for name, value in given.items()}

    def _as_text_if_wanted(self, name: str, value: Any) -> Any:
        """Make a whole number a text where one is wanted; one with a point may have lost zeros: 1.10 is 1.1 in JSON."""
        wanted = self.parameters["properties"].get(name, {}).get("type")
        return str(value) if wanted == "string" and type(value) is int else value

    def _error_before_run(self, error: ToolError) -> str:
        """Say what was wrong with a call before the function itself saw it; empty for other errors."""
        cause = error.__cause__
        if isinstance(error, ArgumentsTooLarge):
            return error_text(str(error))
        if isinstance(cause, ValidationError) and not isinstance(error, UnexpectedToolError):
            return error_text(" ".join(self._argument_errors(cause)))
        if isinstance(cause, ToolError) and str(cause).startswith(_SDK_ON_ANSWERS):
            return "The client's answer to the question is neither a yes nor a no. Nothing was sent."
        return ""

    def _argument_errors(self, error: ValidationError) -> Iterator[str]:
        names = list(self.parameters["properties"])
        for fault in error.errors(include_url=False, include_context=False)[:MOST_ERRORS]:
            yield _argument_error(str(fault["loc"][0]), fault["type"], fault["msg"], fault["input"], names)
        yield f"Arguments of {self.name}: {', '.join(self._argument_names()) or 'none'}."

    def _argument_names(self) -> Iterator[str]:
        required = self.parameters.get("required", ())
        for name in self.parameters["properties"]:
            yield name if name in required else f"{name} (optional)"


def make_tool(spec: ToolSpec) -> Tool:
    """Make the tool of a function. Unknown arguments are refused: a misspelt filter, dropped, would match all."""
    made: Tool = StrictTool.from_function(
        spec.function,
        title=spec.title,
        description=f"{inspect.getdoc(spec.function)}\n{spec.more()}".strip(),
        annotations=spec.annotations,
    )
    if isinstance(made, StrictTool):
        made.invalid = spec.invalid
        made.exact = spec.exact
    arguments = made.fn_metadata.arg_model
    arguments.model_config["extra"] = "forbid"
    arguments.model_rebuild(force=True)
    needed = {"required": list(spec.required)} if spec.required else {}
    made.parameters = compact_schema({**made.parameters, **needed, "additionalProperties": False})
    made.fn_metadata.output_schema = names_and_types(compact_schema(made.fn_metadata.output_schema))
    return made


def compact_schema(schema: Any) -> Any:
    """Return a JSON schema without titles that repeat names and defaults of nothing: a third of it."""
    if isinstance(schema, list):
        return [compact_schema(part) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    return {key: compact_schema(part) for key, part in schema.items() if not _is_redundant(key, part)}


UNSAID = frozenset({"description", "default", "required", "items"})
"""What output schemas leave out; the rows of every answer are arrays in the order of ``columns``."""


SAYS_ITSELF = frozenset({"about_cells", "as_of", "age"})
"""Fields of every answer for whoever reads it, which the instructions tell once: no client does anything with them."""


def names_and_types(schema: Any) -> Any:
    """Return an output schema as names and types: what they mean the tool's description says, once a conversation."""
    if isinstance(schema, list):
        return [names_and_types(part) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    kept = {key: names_and_types(part) for key, part in schema.items() if key not in UNSAID}
    if "properties" in schema:
        named = {name: part for name, part in schema["properties"].items() if name not in SAYS_ITSELF}
        kept["properties"] = {name: names_and_types(part) for name, part in named.items()}
    return kept


def _is_redundant(key: str, part: object) -> bool:
    return (key == "title" and isinstance(part, str)) or (key == "default" and part in (None, []))


def _argument_error(argument: str, kind: str, message: str, value: object, names: list[str]) -> str:
    if kind == "extra_forbidden":
        near = get_close_matches(argument, names, n=1)
        inside = " Parameters of a query or statement go into params." if "params" in names and not near else ""
        return f"There is no argument {_shortened(repr(argument))}.{f' Did you mean {near[0]}?' if near else inside}"
    if kind == "missing":
        return f"The argument {argument} is missing."
    zeros = " A number with a point loses zeros in JSON, so write it in quotes." if isinstance(value, float) else ""
    return f"The argument {argument} is {_shortened(repr(value))}: {message[:1].lower()}{message[1:]}.{zeros}"


def error_text(error: str) -> str:
    """Return an error as a model may see it: without what cannot be seen, and not longer than it needs to be."""
    text: str = sanitized(error)
    return text if len(text) <= LONGEST_ERROR else f"{text[:LONGEST_ERROR]} ... ({len(text):,} characters)"


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}..."


def _refuse_huge(tool: str, arguments: Mapping[str, Any]) -> None:
    if (size := _json_length(arguments)) > MOST_ARGUMENTS:
        raise ArgumentsTooLarge(
            f"The arguments of {sanitized(tool)} hold more than {MOST_ARGUMENTS:,} characters ({size:,} at least). "
            "Send a shorter statement or value; rows to compare with can be joined from a table."
        )


def _json_length(value: object, most: int = MOST_ARGUMENTS) -> int:
    """Measure about how long a value is as JSON, counted up to a little more than ``most``."""
    waiting, size = [value], 0
    while waiting and size <= most:
        part = waiting.pop()
        if isinstance(part, Mapping):
            waiting += [*part.keys(), *part.values()]
        elif isinstance(part, list):
            waiting += part
        size += len(part) + 3 if isinstance(part, str) else 3
    return size


def client_of(ctx: Context[Any, Any]) -> str:
    """Name the client that asks, as far as can be told, so that each has its share: its person, session or connection.

    Empty over stdio, where there is only one.
    """
    request = ctx.request_context.request
    if request is None:
        return ""
    if person := person_of(ctx):
        return person.subject
    peer = request.client
    return str(request.headers.get("mcp-session-id") or (f"{peer.host}:{peer.port}" if peer else ""))


async def run_while_connected(ctx: Context[Any, Any], work: Callable[[], Awaitable[T]]) -> T:
    """Return what ``work`` answers; it is cancelled when the connection ends over which it was asked for.

    The answer could reach nobody: none is kept for a client that comes back.
    """
    request = ctx.request_context.request
    gone: anyio.Event | None = request.scope.get(DISCONNECTED) if request is not None else None
    if gone is None:
        return await work()
    found: list[T] = []
    errors: list[Exception] = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_end_when_set, gone, tasks.cancel_scope)
        try:
            found.append(await work())
        except Exception as error:  # raised below, as it is: the group would wrap it
            errors.append(error)
        tasks.cancel_scope.cancel()
    if errors:
        raise errors[0]
    if not found:
        raise ToolError("Nobody waits for this answer any more.")
    return found[0]


async def _end_when_set(gone: anyio.Event, scope: anyio.CancelScope) -> None:
    await gone.wait()
    scope.cancel()
