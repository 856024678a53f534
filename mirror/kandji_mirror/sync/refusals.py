"""Tables the provider refuses: asked once, remembered for a day, and asked again when that may have changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from kandji_mirror.capabilities import Capability, ServerCapabilities
from kandji_mirror.sync.fleet import DEVICES
from kandji_mirror.sync.order import due
from kandji_mirror.sync.pace import Pace
from kandji_schema.manifest import State, TableState
from kandji_schema.registry import resources
from kandji_schema.resource import Resource

REFUSED = frozenset({State.FORBIDDEN, State.ABSENT})
"""How a table fares that this token, or this tenant, does not have."""


@dataclass(frozen=True)
class Refusals:
    """What was refused to one token, which ``mark`` stands for: another token is asked for anew."""

    capabilities: ServerCapabilities
    mark: str

    def stands(self, table: str, states: Mapping[str, TableState]) -> bool:
        """Whether a table need not be asked for: it, or what it is asked for by, was refused a short while ago."""
        if states[table].state not in REFUSED:
            return False
        parent = parent_of(resources()[table])
        if parent is not None and self.stands(parent, states):
            return True
        return self.capabilities.lacks(table, Capability.PERMISSION, seen=self.mark)

    def due(
        self, resource: Resource, states: Mapping[str, TableState], now: datetime, pace: Pace | None = None
    ) -> bool:
        """Whether a table is due; one that was refused is when that does not stand any more, however young it is."""
        state = states[resource.name]
        if state.state in REFUSED:
            return not self.stands(resource.name, states)
        return due(state, resource, now, pace)

    def note(self, table: str) -> None:
        """The provider refused a table just now."""
        self.capabilities.note_lack(table, Capability.PERMISSION, self.mark)


def parent_of(resource: Resource) -> str | None:
    """The table whose rows another one is asked for by; a swept one goes through the devices."""
    return resource.parent or (DEVICES if resource.swept else None)
