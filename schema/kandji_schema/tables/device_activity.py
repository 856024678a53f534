"""What happened to every device."""

from datetime import datetime, timedelta
from typing import Any

from sqlmodel import SQLModel

from kandji_schema.columns import Personal, boolean, document, extra, integer, text, timestamp
from kandji_schema.resource import Ask, Paging, Resource


class DeviceActivity(SQLModel, table=True):
    """One row per event of a device's activity: enrollment, commands, renaming and so on. Only ever added to."""

    __tablename__ = "device_activity"

    device_id: str | None = text("Device; joins to devices.device_id.", key=True, references="devices.device_id")
    id: int | None = integer("Number of the event at the provider.", key=True)
    created_at: datetime | None = timestamp("When it happened.")
    action_type: str | None = text(
        "What happened, as the provider calls it: enrollment, name_changed, mdm_command_completed, mdm_command_failed, "
        "routing_arrival and so on.",
        samples=("mdm_command_completed",) * 4 + ("enrollment", "name_changed"),
    )
    details: Any = document(
        "What else is known of it, as a JSON object that differs by action_type; of MDM commands command_type, status "
        "and uuid, which joins to device_commands.uuid.",
        personal=Personal.FREE_TEXT,
    )
    blueprint_id: str | None = text(
        "Blueprint of the device at that time; joins to blueprints.id.",
        source="blueprint.id",
        references="blueprints.id",
    )
    blueprint_name: str | None = text("Name of that blueprint.", source="blueprint.name")
    blueprint_is_removed: bool | None = boolean(
        "Whether that blueprint was gone when the event was read.", source="blueprint.is_removed"
    )
    blueprint_routing: bool | None = boolean("Whether the device was being routed to a blueprint.")
    user_id: str | None = text("Who did it, where the provider says so.", source="user.id", personal=Personal.IDENTITY)
    user_name: str | None = text("Name of that person.", source="user.name", personal=Personal.IDENTITY)
    user_email: str | None = text("E-mail address of that person.", source="user.email", personal=Personal.IDENTITY)
    external_token: Any = document(
        "The API token that did it, as the provider names it.", personal=Personal.IDENTITY, samples=(None,)
    )
    extra: Any = extra()


DEVICE_ACTIVITY = Resource(
    model=DeviceActivity,
    path="/api/v1/devices/{device_id}/activity",
    rows_at="activity",
    parent="devices",
    parent_key={"device_id": "device_id"},
    paging=Paging.COUNT,
    newest_first=True,
    swept=True,
    ttl=timedelta(hours=24),
    permission="Device activity",
    ignored=frozenset({"computer"}),  # the device itself, by its name of today
    asks=(
        Ask(
            "What happened to a device",
            "SELECT a.created_at, a.action_type, a.user_name FROM device_activity AS a JOIN devices AS d "
            "USING (device_id) WHERE d.serial_number = 'C02XYZ' ORDER BY 1 DESC",
        ),
    ),
)
