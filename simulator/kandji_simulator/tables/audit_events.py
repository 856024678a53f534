"""The audit log as the API sends it: table ``audit_events``."""

from collections.abc import Mapping, Sequence
from typing import Any

from kandji_simulator.tables.listing import Listing, Query
from kandji_simulator.tables.registry import Makers
from kandji_simulator.world.audit_log import AuditEvent
from kandji_simulator.world.time import DAY, parse, zulu


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


MAKERS: Makers = {"audit_events": lambda tables: AuditList(tables.state)}
