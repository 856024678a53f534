"""Notes on devices."""

from datetime import datetime, timedelta
from typing import Any

from sqlmodel import SQLModel

from kandji_schema.columns import Personal, extra, text, timestamp
from kandji_schema.resource import Ask, Paging, Resource


class DeviceNote(SQLModel, table=True):
    """One row per note that an administrator wrote on a device."""

    __tablename__ = "device_notes"

    device_id: str | None = text("Device; joins to devices.device_id.", key=True, references="devices.device_id")
    note_id: str | None = text("Identifier of the note.", key=True)
    content: str | None = text("What was written, in HTML.", personal=Personal.FREE_TEXT)
    author: str | None = text("Name of who wrote it.", personal=Personal.IDENTITY)
    created_at: datetime | None = timestamp("When it was written.")
    updated_at: datetime | None = timestamp("When it was last edited.")
    extra: Any = extra()


DEVICE_NOTES = Resource(
    model=DeviceNote,
    path="/api/v1/devices/{device_id}/notes",
    parent="devices",
    parent_key={"device_id": "device_id"},
    paging=Paging.ARRAY,
    swept=True,
    reported=False,
    ttl=timedelta(hours=24),
    permission="Device notes",
    asks=(
        Ask(
            "What was noted of a device",
            "SELECT d.device_name, n.created_at, n.author, n.content FROM device_notes AS n JOIN devices AS d"
            " USING (device_id) ORDER BY n.created_at DESC",
        ),
    ),
)
