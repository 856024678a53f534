"""The tenant's audit log."""

from datetime import datetime, timedelta
from typing import Any

from sqlmodel import SQLModel

from kandji_schema.columns import Personal, document, extra, text, timestamp
from kandji_schema.resource import Ask, Paging, Resource


class AuditEvent(SQLModel, table=True):
    """One row per event of the tenant's audit log: who did what to which thing; the provider keeps at most a year."""

    __tablename__ = "audit_events"

    id: str | None = text("Identifier of the event; grows with time (a ULID).", key=True)
    occurred_at: datetime | None = timestamp("When it happened.")
    action: str | None = text("create, update or delete.", samples=("update", "update", "create", "delete"))
    actor_id: str | None = text("Identifier of who did it.", personal=Personal.IDENTITY)
    actor_type: str | None = text("user, api_token or as the provider calls it.", samples=("user", "user", "api_token"))
    target_type: str | None = text(
        "blueprint, library_item, device, user, api_token or as the provider calls it.",
        samples=("device", "blueprint", "library_item", "api_token", "user"),
    )
    target_id: str | None = text("What it was done to; joins to the table of target_type.", personal=Personal.IDENTITY)
    target_component: str | None = text(
        "Part of it, such as library_items.", samples=("", "library_items", "parameters")
    )
    new_state: Any = document(
        "What was set, as a JSON object.",
        personal=Personal.FREE_TEXT,
        samples=({"active": False, "label": None, "type": "vpp-app", "name": "Pocket Casts"}, {"name": "demo"}, None),
    )
    old_state: Any = document(
        "What was there before, as a JSON object; only of newer events.",
        personal=Personal.FREE_TEXT,
        samples=({"active": True, "label": None, "type": "vpp-app", "name": "Pocket Casts"}, None),
    )
    event_metadata: Any = document(
        "What else is known of the event, as a JSON object.",
        source="metadata",  # SQLModel keeps that name for itself
        personal=Personal.FREE_TEXT,
        samples=({}, {"source_id": None, "source": None}),
    )
    extra: Any = extra()


AUDIT_EVENTS = Resource(
    model=AuditEvent,
    path="/api/v1/audit/events",
    paging=Paging.CURSOR,
    page_size=500,  # the most this endpoint allows
    params={"sort_by": "-occurred_at"},
    newest_first=True,
    ttl=timedelta(minutes=5),
    permission="Audit log: list events",
    asks=(
        Ask(
            "Who did what lately",
            "SELECT occurred_at, actor_id, action, target_type, target_id FROM audit_events ORDER BY "
            "occurred_at DESC LIMIT 50",
        ),
    ),
)
