"""The arguments of a live action's tool, made from its record."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from kandji_schema.actions.arguments import Argument, Kind
from kandji_schema.actions.record import Action, TargetKind


class _Ungiven(str):
    """Stands for a text that was not given; the empty text is a value of its own."""

    __slots__ = ()


UNGIVEN = _Ungiven()

OWN = ("device", "tag", "reason", "confirm", "token", "serial_number", "code")
"""Arguments that are about the call and not the provider's."""


def ungiven() -> Any:
    """Return the default of every optional argument."""
    return UNGIVEN


def annotations(record: Action, *, agent: bool, coded: bool, who: str) -> dict[str, Any]:
    """Type and description of each argument.

    ``agent`` adds those by which an AI client confirms by itself, and where it is ``coded`` the person's code. ``who``
    says who confirms, in words.
    """
    types = {argument.name: _type(argument) for argument in record.arguments}
    if record.target is not TargetKind.TENANT:
        what = "its serial number, identifier or exact name" if record.target is TargetKind.DEVICE else "its exact name"
        noun = record.target.name.lower()
        types = {noun: Annotated[str, Field(description=f"The {noun}: {what}.")], **types}
    return {**types, **dict(_about_the_call(record, agent=agent, coded=coded, who=who))}


def required(record: Action) -> tuple[str, ...]:
    """Names without which the tool does nothing; a missing ``confirm`` is refused here, so that it is recorded."""
    noun = () if record.target is TargetKind.TENANT else (record.target.name.lower(),)
    asked = ("reason",) if record.secret else ()
    confirm = () if record.only_reads else ("confirm",)
    return (*noun, *(a.name for a in record.arguments if a.required), *asked, *confirm)


def given(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the provider's arguments that were given."""
    return {name: value for name, value in values.items() if value is not UNGIVEN and name not in OWN}


def text(values: Mapping[str, Any], name: str) -> str:
    """One of our own arguments; empty where it was not given."""
    return str(values.get(name, ""))


def _about_the_call(record: Action, *, agent: bool, coded: bool, who: str) -> Iterator[tuple[str, Any]]:
    why = "Why, for the audit log."
    yield "reason", Annotated[str, Field(description=why, default_factory=ungiven)]
    if record.only_reads:
        return
    schema = WithJsonSchema({"type": "boolean", "description": f"Must be true: you mean it. Then {who}."})
    yield "confirm", Annotated[Any, Field(default_factory=ungiven), schema]
    if agent:
        typed = "The device's serial number, read from the preview."
        yield "token", Annotated[str, Field(description="Token of the preview.", default_factory=ungiven)]
        yield "serial_number", Annotated[str, Field(description=typed, default_factory=ungiven)]
    if agent and coded:
        told = "The one-time code that a person got for this preview; ask for it."
        yield "code", Annotated[str, Field(description=told, default_factory=ungiven)]


def _type(argument: Argument) -> Any:
    """Texts are kept as they are (the SDK would read JSON in others); every value is checked by the record.

    It alone checks secrets: errors of the schema repeat what was sent.
    """
    kind: Any = Any if argument.secret else {Kind.FLAG: Any, Kind.TEXTS: list[str]}.get(argument.kind, str)
    return Annotated[kind, Field(default_factory=ungiven), WithJsonSchema(dict(argument.schema()))]
