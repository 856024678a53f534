"""All resources, found by looking into the ``tables`` folder: a new table is one new file there."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from kandji_schema import tables
from kandji_schema.errors import UnknownName, UsageError
from kandji_schema.resource import Resource


@cache
def resources() -> MappingProxyType[str, Resource]:
    """Find all resources by name: lists before Prism before what is asked for once a parent row, the freshest first.

    Tables of feeds come last. Where the tenant's API is meant, it is :func:`tenant_tables` that has what can be asked.
    """
    modules = (import_module(f"{tables.__name__}.{m.name}") for m in iter_modules(tables.__path__))
    found = [r for m in modules for r in vars(m).values() if isinstance(r, Resource)]
    found.sort(key=lambda r: (r.feed is not None, r.parent is not None, r.category is not None, r.ttl, r.name))
    return MappingProxyType({r.name: r for r in found})


@cache
def tenant_tables() -> MappingProxyType[str, Resource]:
    """Return those of all resources that the tenant's API answers, in their order."""
    return MappingProxyType({name: found for name, found in resources().items() if found.feed is None})


@cache
def feed_tables() -> MappingProxyType[str, Resource]:
    """Return those of all resources that are made of public feeds, in their order."""
    return MappingProxyType({name: found for name, found in resources().items() if found.feed is not None})


def resource(name: str) -> Resource:
    """Return the resource of that name; :class:`UnknownName` with the nearest names otherwise."""
    known = resources()
    if name not in known:
        raise UnknownName("table", name, known)
    return known[name]


def tenant_table(name: str) -> Resource:
    """Return the resource of a table that the tenant is asked for; :class:`UsageError` for one of a feed.

    Otherwise as :func:`resource`.
    """
    found = resource(name)
    if found.feed:
        raise UsageError(
            f"{name} is no table of the tenant but of the public feed {found.feed.name}: `kandji-mirror feed update "
            f"{found.feed.name}` reads it."
        )
    return found


def joins(table: str, columns: Iterable[str]) -> dict[str, list[str]]:
    """Return by column the columns of other tables that hold the same identifiers, each as ``table.column``.

    ``columns`` are those of ``table``. A view declares none: its columns mean what those of the same name mean in
    tables.
    """
    same = _same_identifiers()
    declared = table in resources()
    found = {}
    for column in columns:
        meant = [group for group in same if any(_is(member, table if declared else None, column) for member in group)]
        if len(meant) == 1:
            found[column] = [member for member in meant[0] if member.partition(".")[0] != table]
    return {column: others for column, others in found.items() if others}


def _is(member: str, table: str | None, column: str) -> bool:
    own, _, name = member.partition(".")
    return name == column and table in (None, own)


@cache
def _same_identifiers() -> tuple[tuple[str, ...], ...]:
    """Columns that refer to one column, that one first."""
    groups: Mapping[str, list[str]] = defaultdict(list)
    for found in resources().values():
        for column in found.columns:
            if column.references:
                groups[column.references].append(f"{found.name}.{column.name}")
    return tuple((target, *members) for target, members in groups.items())
