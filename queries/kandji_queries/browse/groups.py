"""Tables and views in groups, as people look for them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kandji_queries.catalog.dictionary import TableInfo


@dataclass(frozen=True)
class Group:
    """Tables and views under one title, the views first."""

    title: str
    tables: tuple[TableInfo, ...]


_GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Whole answers, made of several tables", ("fleet", "compliance", "compliance_devices", "contradictions")),
    ("What changed", ("changes", "changes_by_thing", "removed_rows")),
    ("Software on devices", ("apps", "prism_launch_agents", "prism_system_ext", "prism_kernel_ext", "prism_transp")),
    ("Vulnerabilities and threats", ("vulnerabilit", "threats", "behavioral")),
    ("Library and blueprints", ("blueprint", "custom_", "in_house", "library", "self_service", "device_library")),
    ("People and accounts", ("users", "prism_local_users", "audit_events")),
    ("Enrolment and licences", ("ade_", "licensing")),
    ("What devices report", ("prism_", "device_volumes")),
    ("Devices", ("devices", "device_", "lost_mode", "tags")),
    ("The mirror itself", ("freshness", "history", "audit_log")),
)
"""Titles with what the names of their tables begin with, the first that fits."""

_ORDER = (0, 8, 7, 2, 3, 4, 5, 6, 1, 9)
"""Places of the groups as they are shown."""

OTHERS = "Others"


def groups(infos: Iterable[TableInfo]) -> Iterator[Group]:
    """Yield the groups that have tables, in the order in which people look at them."""
    found: dict[str, list[TableInfo]] = {title: [] for title in (*(_GROUPS[place][0] for place in _ORDER), OTHERS)}
    for info in infos:
        found[_group_of(info.name)].append(info)
    for title, tables in found.items():
        if tables:
            yield Group(title, tuple(sorted(tables, key=lambda info: (info.kind != "view", info.name))))


def _group_of(name: str) -> str:
    fits = (title for title, beginnings in _GROUPS if name.startswith(beginnings))
    return next(fits, OTHERS)
