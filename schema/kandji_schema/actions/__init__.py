"""Every live action, one record each: a new one is one more record in a module of this folder.

The command line, the MCP tools with their hints, confirmation, audit and the reference page are derived from them.
"""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from kandji_schema.actions.record import Action
from kandji_schema.errors import UnknownName


@cache
def actions() -> MappingProxyType[str, Action]:
    """Return every action by name, secrets included, in the order they are written down."""
    modules = (import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__))
    found = (value for module in modules for value in vars(module).values() if isinstance(value, Action))
    return MappingProxyType({action.name: action for action in found})


def action(name: str, *, secret: bool = False) -> Action:
    """Return the action or ``secret`` of that name, however it is spelt (``set_name``); :class:`UnknownName` else."""
    plain = "".join(c for c in name.lower() if c not in "_- ")
    known = {a.name: a for a in actions().values() if a.secret is secret}
    spelt = known | {alias: a for a in known.values() for alias in a.aliases}
    if plain not in spelt:
        raise UnknownName("secret" if secret else "action", name, known)
    return spelt[plain]
