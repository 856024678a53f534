"""Boxes of a token's form that are not ticked: what is refused without a permission, by its name or by a table's."""

from collections.abc import Iterator, Mapping

from kandji_schema.actions import actions
from kandji_schema.errors import UnknownName
from kandji_schema.registry import tenant_tables
from kandji_simulator.api.tenant import Tenant

_PRISM = "/api/v1/prism"


def untick(tenant: Tenant, name: str) -> str:
    """Answer 403 as a token without that box gets it; return the name of the permission.

    ``name`` is a permission's, whatever its case, or a table's. Raises :class:`UnknownName`.
    """
    known = {permission.lower(): permission for permission in _endpoints()}
    tables = {table: resource.permission for table, resource in tenant_tables().items()}
    permission = tables.get(name) or known.get(name.strip().lower())
    if permission is None:
        raise UnknownName("table or permission", name, [*tables, *_endpoints()])
    for method, path in _endpoints()[permission]:
        tenant.forbid(path, method)
    return permission


def _endpoints() -> Mapping[str, list[tuple[str, str]]]:
    """Return method and path of what each permission is for; all of Prism is one, whatever the method."""
    found: dict[str, list[tuple[str, str]]] = {}
    for permission, method, path in (*_of_tables(), *_of_actions()):
        found.setdefault(permission, []).append((method, path))
    return found


def _of_tables() -> Iterator[tuple[str, str, str]]:
    for resource in tenant_tables().values():
        yield (resource.permission, *(("", _PRISM) if resource.category else ("GET", resource.path)))
        if resource.fallback:
            yield resource.fallback.permission, "GET", resource.fallback.path


def _of_actions() -> Iterator[tuple[str, str, str]]:
    for action in actions().values():
        yield action.permission, action.method, action.path
