"""All resources, found by looking into the ``tables`` folder: a new table is one new file there."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from kandji_schema import tables
from kandji_schema.errors import UnknownName
from kandji_schema.resource import Resource


@cache
def resources() -> MappingProxyType[str, Resource]:
    """Find all resources by name: lists before Prism before what is asked for once a parent row, the freshest first."""
    modules = (import_module(f"{tables.__name__}.{m.name}") for m in iter_modules(tables.__path__))
    found = [r for m in modules for r in vars(m).values() if isinstance(r, Resource)]
    found.sort(key=lambda r: (r.parent is not None, r.category is not None, r.ttl, r.name))
    return MappingProxyType({r.name: r for r in found})


def resource(name: str) -> Resource:
    """Return the resource of that name; :class:`UnknownName` with the nearest names otherwise."""
    known = resources()
    if name not in known:
        raise UnknownName("table", name, known)
    return known[name]
