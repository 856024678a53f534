"""What one live action is: everything about it that is not the same for all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from kandji_schema.actions.arguments import Argument
from kandji_schema.errors import UnknownName, UsageError

MAC = ("Mac",)
MOBILE = ("iPhone", "iPad")
APPLE = ("Mac", "iPhone", "iPad", "AppleTV", "Vision")
ANY: tuple[str, ...] = ()

Values = Mapping[str, Any]
Facts = Mapping[str, Any]


class Risk(Enum):
    """How much an action can break; the value says whether it changes anything, and whether that can be undone."""

    READS = "reads"
    ADDS = "changes nothing that was there"
    CHANGES = "can be undone"
    DESTROYS = "cannot be undone"


class TargetKind(Enum):
    """What an action is done to; the value is the placeholder of its path."""

    DEVICE = "device_id"
    TAG = "tag_id"
    TENANT = ""


class OutcomeCheck(Enum):
    """Where to look whether an action was carried out after its answer was lost."""

    COMMANDS = "the device's command list"
    ROW = "the device's row"
    GONE = "the device being gone"
    NONE = "nothing that could be asked"


@dataclass(frozen=True, kw_only=True)
class Action:
    """One live action.

    ``path`` is below the tenant's host. ``consequences`` are sentences for whoever confirms; ``warn`` adds more of
    them from the device's row and the arguments. ``platforms`` are those it can be sent to, all where empty. Its
    command is found in the device's list by ``commands``: names of its type there, or of Apple's request type.
    ``tables`` are those that show what it did. ``reveals`` are keys of a secret in the answer, each with its words.
    ``check`` refuses arguments that do not fit together. ``tool`` is its name for AI clients.
    """

    name: str
    title: str
    tool: str
    path: str
    consequences: tuple[str, ...]
    permission: str
    method: str = "POST"
    risk: Risk = Risk.CHANGES
    target: TargetKind = TargetKind.DEVICE
    arguments: tuple[Argument, ...] = ()
    platforms: tuple[str, ...] = ANY
    commands: tuple[str, ...] = ()
    outcome_check: OutcomeCheck | None = None
    tables: tuple[str, ...] = ()
    reveals: Mapping[str, str] | None = None
    aliases: tuple[str, ...] = ()
    check: Callable[[Values], None] | None = None
    warn: Callable[[Facts, Values], tuple[str, ...]] | None = None

    @property
    def secret(self) -> bool:
        """Whether it only reads a secret."""
        return self.reveals is not None and self.method == "GET"

    @property
    def only_reads(self) -> bool:
        """Whether it only reads, and no secret: nobody has to confirm it."""
        return self.risk is Risk.READS and not self.secret

    @property
    def checked_by(self) -> OutcomeCheck:
        """Where to look for what it did."""
        return self.outcome_check or (OutcomeCheck.COMMANDS if self.commands else OutcomeCheck.NONE)

    def read(self, given: Mapping[str, object]) -> dict[str, Any]:
        """Return the arguments, checked; :class:`UsageError` names the value, the rule and what there is."""
        known = {argument.name: argument for argument in self.arguments}
        for name in given:
            if name not in known:
                raise UnknownName(f"argument of {self.name} named", name, known or ("none",))
        missing = [a.name for a in self.arguments if a.required and a.name not in given]
        if missing:
            raise UsageError(f"{self.name} needs {', '.join(missing)}. Nothing was sent.")
        values = {name: known[name].read(value) for name, value in given.items()}
        if self.check is not None:
            self.check(values)
        return values

    def body(self, values: Values) -> dict[str, Any] | None:
        """Return the request's JSON in the provider's spelling; keys without a value are left out. None for no body."""
        body: dict[str, Any] = {}
        for argument in self.arguments:
            if "{" + argument.key + "}" in self.path:
                continue
            if argument.name in values:
                _put(body, argument.key, values[argument.name])
            elif argument.always is not None:
                _put(body, argument.key, argument.always)
        return body or None

    def redacted(self, values: Values, *, personal: bool = False) -> dict[str, Any]:
        """Return the arguments as they may be kept: without secrets, and without what is ``personal`` if asked."""
        hidden = {a.name for a in self.arguments if a.secret or (personal and a.personal)}
        return {name: "***" if name in hidden else value for name, value in values.items()}

    def not_for(self, platform: str, values: Values) -> str | None:
        """Say why it cannot be done to a device of that platform; None where it can."""
        if self.platforms and platform not in self.platforms:
            return f"{self.name} is for {', '.join(self.platforms)}, not for {platform or 'an unknown platform'}"
        for argument in self.arguments:
            if argument.name in values and argument.platforms and platform not in argument.platforms:
                return f"{argument.name} is for {', '.join(argument.platforms)}, not for {platform}"
        return None


def _put(body: dict[str, Any], key: str, value: object) -> None:
    outer, dot, inner = key.partition(".")
    if dot:
        body.setdefault(outer, {})[inner] = value
    else:
        body[key] = value
