"""MDM commands of every device."""

from datetime import datetime, timedelta
from typing import Any

from sqlmodel import SQLModel

from kandji_schema.columns import Personal, boolean, document, extra, integer, text, timestamp
from kandji_schema.prism import APPLE
from kandji_schema.resource import Ask, Paging, Resource

STATUS = {"1": "pending", "2": "running", "3": "completed", "4": "failed", "5": "not now"}
"""The provider's numbers (its contract); "not now" is asked again."""


class DeviceCommand(SQLModel, table=True):
    """One row per MDM command that was sent to an Apple device, or waits for it."""

    __tablename__ = "device_commands"

    device_id: str | None = text("Device; joins to devices.device_id.", key=True, references="devices.device_id")
    uuid: str | None = text("Identifier of the command.", key=True)
    command_type: str | None = text(
        "What the provider calls it, such as DeviceLock.", samples=("DeviceInformation", "DeviceLock", "RestartDevice")
    )
    request_type: str | None = text(
        "The request of Apple's MDM protocol it is carried out by, such as Settings.",
        samples=("DeviceInformation", "DeviceLock", "RestartDevice"),
    )
    status: int | None = integer(
        "1 pending, 2 running, 3 completed, 4 failed, 5 not now.", samples=(3, 3, 3, 3, 1, 2, 4, 5)
    )
    status_name: str | None = text(
        "The same in words; pending, running and not now are still to be carried out.", source="status", words=STATUS
    )
    attempts: int | None = integer("How often the device was asked.", samples=(1, 1, 2))
    date_requested: datetime | None = timestamp("When it was ordered.")
    date_completed: datetime | None = timestamp("When the device answered for the last time.")
    last_pushed: datetime | None = timestamp("When the device was last asked.")
    error_chain: Any = document(
        "What the device said against it, as a JSON list; empty where nothing.",
        personal=Personal.FREE_TEXT,
        samples=([], []),
    )
    command_metadata: Any = document(
        "What the command carries, as a JSON object that differs by command_type.",
        source="metadata",  # SQLModel keeps that name for itself
        personal=Personal.FREE_TEXT,
        samples=({}, {"Items": ["MDMOptions"]}),
    )
    request_requires_network_tether: bool | None = boolean("Whether the device must be on a cable for it.")
    user: Any = document(
        "The account on the device it is meant for, as sent.", personal=Personal.IDENTITY, samples=(None,)
    )
    priority: int | None = integer("Its place in the queue.", samples=(0, 40, 110))
    extra: Any = extra()


DEVICE_COMMANDS = Resource(
    model=DeviceCommand,
    path="/api/v1/devices/{device_id}/commands",
    rows_at="commands",
    parent="devices",
    parent_key={"device_id": "device_id"},
    paging=Paging.COUNT,
    swept=True,
    ttl=timedelta(hours=24),
    permission="Device commands",
    platforms=APPLE,
    asks=(
        Ask(
            "Which commands wait",
            "SELECT d.device_name, c.command_type, c.status_name, c.date_requested FROM device_commands AS c "
            "JOIN devices AS d USING (device_id) WHERE c.date_completed IS NULL ORDER BY c.date_requested",
        ),
    ),
)
