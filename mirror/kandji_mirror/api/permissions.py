"""What a token may read, found out with one small GET a permission."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from kandji_mirror.api.client import Client
from kandji_mirror.api.paging import Page, walk
from kandji_schema.errors import ApiError, NotFound, PermissionMissing
from kandji_schema.registry import resources, tenant_tables
from kandji_schema.resource import Resource


@dataclass(frozen=True)
class Permission:
    """One permission of the token, by the name it has in the provider's console, and the tables that need it.

    ``granted`` is None where it could not be found out; ``why`` says why it is not True. ``rows`` is what the provider
    said there are in the first of the tables, None where it did not.
    """

    name: str
    tables: tuple[str, ...]
    granted: bool | None
    why: str = ""
    rows: int | None = None


def permissions(client: Client) -> Iterator[Permission]:
    """Try every permission, lists before what is asked for once a row of theirs.

    :class:`AuthenticationError` at once where the provider does not know the token.
    """
    seen: dict[str, Mapping[str, Any] | None] = {}
    for name, tables in _by_permission().items():
        yield _tried(client, name, tables, seen)


def _by_permission() -> dict[str, list[Resource]]:
    found: dict[str, list[Resource]] = {}
    for resource in tenant_tables().values():
        found.setdefault(resource.permission, []).append(resource)
    return found


def _tried(client: Client, name: str, tables: list[Resource], seen: dict[str, Mapping[str, Any] | None]) -> Permission:
    """Try one permission; ``seen`` are first rows of tables, by name, which others are asked for by."""
    names, first = tuple(resource.name for resource in tables), tables[0]
    parent = seen.get(first.parent) if first.parent else {}
    if parent is None:
        return Permission(name, names, None, f"there is no row of {first.parent} to ask with")
    rows = None
    try:
        page = _first_page(client, first, parent)
        seen[first.name], rows = (page.rows[0] if page.rows else None), page.total
    except PermissionMissing as error:
        return Permission(name, names, False, "not licensed, or not granted" if first.licensed else str(error))
    except NotFound:
        return Permission(name, names, None, "the provider has no such endpoint for this tenant")
    except ApiError as error:
        if not (first.empty_answer and first.empty_answer in str(error).lower()):
            return Permission(name, names, None, str(error))
    return Permission(name, names, True, rows=rows)


def _first_page(client: Client, resource: Resource, parent: Mapping[str, Any]) -> Page:
    """Send one request for as little as the endpoint gives."""
    small = replace(resource, page_size=min(resource.page_size, 1))
    path = resource.path.format(**{brace: parent[own] for brace, own in _fields(resource).items()})
    return next(walk(client, small, path=path, in_flight=1))


def _fields(resource: Resource) -> Mapping[str, str]:
    """Return the field of the provider's parent row that fills each brace of the path."""
    if resource.parent is None:
        return {}
    sources = {column.name: column.sources[0] for column in resources()[resource.parent].columns}
    return {brace: sources[column] for brace, column in resource.parent_key.items()}
