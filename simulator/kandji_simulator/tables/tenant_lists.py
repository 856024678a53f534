"""Lists of the tenant as a whole: people, blueprints and their library items, tags, licences, and the audit log."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kandji_simulator.tables.listing import Json, Listing, Query, RowList
from kandji_simulator.tables.registry import Makers
from kandji_simulator.world.audit_log import AuditEvent
from kandji_simulator.world.records import Blueprint, User
from kandji_simulator.world.state import TenantState
from kandji_simulator.world.time import DAY, parse, zulu


class UserList(Listing):
    """``GET /users``, newest first."""

    def records(self, query: Query, parent: Mapping[str, str]) -> Sequence[User]:
        """Return people by the filters ``email`` (contains), ``id`` and ``archived``."""
        users = self._state.remember("users", lambda: sorted(self._state.users.values(), key=lambda u: -u.number))
        wanted = [(_USER_FILTERS[name], value) for name, value in query.items() if name in _USER_FILTERS]
        return [u for u in users if all(passes(u, value) for passes, value in wanted)] if wanted else users

    def row(self, record: User) -> Json:
        """See :class:`Listing`."""
        counts = self._state.remember("devices by user", lambda: Counter(d.user for d in self._state.devices.values()))
        return {
            "active": not record.archived,
            "archived": record.archived,
            "created_at": zulu(record.created),
            "department": record.department,
            "deprecated_user_id": str(record.number),
            "email": record.email,
            "id": record.id,
            "integration": None if record.number % 10 == 4 else _INTEGRATION,
            "job_title": record.job_title,
            "name": record.name,
            "device_count": counts[record],
            "updated_at": zulu(record.updated),
        }

    def find(self, key: str) -> User | None:
        """See :class:`Listing`."""
        return self._state.users.get(key)

    def position(self, record: User) -> str:
        """See :class:`Listing`."""
        return f"{10**8 - record.number:08d}"


_INTEGRATION = {"id": 634, "name": "acme", "uuid": "f7461096-4ef9-43aa-88e9-ca1967ba0b38", "type": "office365"}
_USER_FILTERS: dict[str, Callable[[User, str], bool]] = {
    "email": lambda u, wanted: wanted.lower() in u.email,
    "id": lambda u, wanted: u.id == wanted,
    "archived": lambda u, wanted: u.archived == (wanted.lower() == "true"),
}


class BlueprintList(Listing):
    """``GET /blueprints``."""

    def records(self, query: Query, parent: Mapping[str, str]) -> Sequence[Blueprint]:
        """Return blueprints by the filters ``id``, ``id__in`` (a comma list) and ``name`` (contains)."""
        wanted = [(_BLUEPRINT_FILTERS[name], value) for name, value in query.items() if name in _BLUEPRINT_FILTERS]
        return [b for b in self._state.blueprints.values() if all(passes(b, value) for passes, value in wanted)]

    def row(self, record: Blueprint) -> Json:
        """Return a row; older tenants do not send ``missing_computers_count`` and the times: here every third row."""
        members, missing = self._state.remember("devices by blueprint", self._counts)
        row = {
            "id": record.id,
            "name": record.name,
            "icon": "ss-files" if record.type == "map" else "ss-paintdisabled",
            "color": "aqua-800" if record.type == "map" else "aqua-500",
            "description": "" if record.number % 2 else f"Devices of {record.name}",
            "params": record.params,
            "computers_count": members[record],
            "missing_computers_count": missing[record],
            "enrollment_code": {"code": record.code, "is_active": record.number % 5 != 4},
            "type": record.type,
            "created_at": zulu(record.created),
            "updated_at": zulu(record.updated),
        }
        return {k: v for k, v in row.items() if k not in _NEWER} if record.number % 3 == 2 else row

    def _counts(self) -> tuple[Counter[Blueprint | None], Counter[Blueprint | None]]:
        devices = self._state.devices.values()
        return Counter(d.blueprint for d in devices), Counter(d.blueprint for d in devices if d.missing)

    def find(self, key: str) -> Blueprint | None:
        """See :class:`Listing`."""
        return self._state.blueprints.get(key)

    def position(self, record: Blueprint) -> str:
        """See :class:`Listing`."""
        return f"{record.number:010d}"


_NEWER = frozenset({"missing_computers_count", "created_at", "updated_at"})
_BLUEPRINT_FILTERS: dict[str, Callable[[Blueprint, str], bool]] = {
    "id": lambda b, wanted: b.id == wanted,
    "id__in": lambda b, wanted: b.id in wanted.split(","),
    "name": lambda b, wanted: wanted.lower() in b.name.lower(),
}


class LibraryItemList(Listing):
    """``GET /blueprints/{blueprint_id}/list-library-items``."""

    def records(self, query: Query, parent: Mapping[str, str]) -> Sequence[tuple[str, str]] | None:
        """See :class:`Listing`."""
        blueprint = self._state.blueprints.get(parent["blueprint_id"])
        return None if blueprint is None else list(blueprint.items.items())

    def row(self, record: tuple[str, str]) -> Json:
        """See :class:`Listing`."""
        return {"id": record[0], "name": record[1]}

    def position(self, record: tuple[str, str]) -> str:
        """See :class:`Listing`."""
        return record[0]


def licensing(state: TenantState) -> list[Json]:
    """Return the one object: devices of all platforms, and of Apple's by platform."""
    platforms = Counter(device.platform for device in state.devices.values())
    counts = {
        "computers_count": platforms.total(),
        "macos_count": platforms["Mac"],
        "ios_count": platforms["iPhone"],
        "ipados_count": platforms["iPad"],
        "tvos_count": platforms["AppleTV"],
    }
    limits = {
        "plan_type": "single_limit",
        "max_devices": -(-platforms.total() // 100) * 100 + 50,  # some that nobody uses
        "max_devices_per_platform": {"macos": 0, "ios_ipados": 0},
    }
    return [{"counts": counts, "limits": limits, "tenantOverLicenseLimit": False}]


class AuditList(Listing):
    """``GET /audit/events``: oldest first unless ``sort_by`` begins with ``-``; a year is kept."""

    def records(self, query: Query, parent: Mapping[str, str]) -> Sequence[AuditEvent]:
        """Return the events between ``start_date`` and ``end_date``: dates, meant as whole days, or moments."""
        first = max(_bound(query, "start_date", 0), self._state.moment - 365 * DAY)
        last = _bound(query, "end_date", self._state.moment, whole_day=True)
        found = [event for event in self._state.audit.events if first <= event.moment <= last]
        return found[::-1] if query.get("sort_by", "").startswith("-") else found

    def row(self, record: AuditEvent) -> dict[str, Any]:
        """See :class:`Listing`."""
        kind, actor = self._state.audit.actor(record)
        return {
            "id": self._state.audit.identifier(record),
            "action": record.action,
            "occurred_at": zulu(record.moment),
            "actor_id": actor,
            "actor_type": kind,
            "target_id": record.target_id,
            "target_type": record.target_type,
            "target_component": record.component,
            "new_state": record.state,
            **_before(record),
            "metadata": {"source": None, "source_id": None} if record.action == "create" else {},
        }

    def position(self, record: AuditEvent) -> str:
        """See :class:`Listing`."""
        return f"{record.number:012d}"


def _before(record: AuditEvent) -> dict[str, Any]:
    """Return the state before every other update, as older events lack it: with its switches the other way round."""
    if record.action != "update" or record.number % 2:
        return {}
    switched = {name: not value for name, value in record.state.items() if isinstance(value, bool)}
    return {"old_state": {**record.state, **switched}}


def _bound(query: Query, name: str, otherwise: int, *, whole_day: bool = False) -> int:
    text = query.get(name, "")
    moment = parse(text)
    if moment is None:
        return otherwise
    return moment + DAY - 1 if whole_day and len(text) == len("2026-01-12") else moment


MAKERS: Makers = {
    "audit_events": lambda tables: AuditList(tables.state),
    "users": lambda tables: UserList(tables.state),
    "blueprints": lambda tables: BlueprintList(tables.state),
    "blueprint_library_items": lambda tables: LibraryItemList(tables.state),
    "tags": lambda tables: RowList(
        tables.state, lambda: [{"id": i, "name": name} for name, i in tables.state.tags.items()], key="id"
    ),
    "licensing": lambda tables: RowList(tables.state, lambda: licensing(tables.state)),
}
