"""Lost mode of iPhones and iPads."""

from datetime import datetime, timedelta
from typing import Any

from sqlmodel import SQLModel

from kandji_schema.columns import Personal, extra, text, timestamp
from kandji_schema.resource import Ask, Paging, Resource


class LostMode(SQLModel, table=True):
    """One row per iPhone or iPad in lost mode: since when, by whom, and where it said it was; none for all others."""

    __tablename__ = "lost_mode"

    device_id: str | None = text("Device; joins to devices.device_id.", key=True, references="devices.device_id")
    lost_mode_status: str | None = text("ENABLED, or as the provider calls it.", samples=("ENABLED",))
    enabled_by: str | None = text("Who switched it on.", personal=Personal.IDENTITY)
    enable_status_at: datetime | None = timestamp("When it was switched on.")
    lock_screen_message: str | None = text("Message on the lock screen.", personal=Personal.FREE_TEXT)
    lock_screen_phone_number: str | None = text("Number to call, on the lock screen.", personal=Personal.IDENTITY)
    lock_screen_footnote: str | None = text("Small print on the lock screen.", personal=Personal.FREE_TEXT)
    disable_status: str | None = text("How far switching it off is.", samples=("", "PENDING"))
    disabled_by: str | None = text("Who switched it off.", personal=Personal.IDENTITY)
    disable_status_at: datetime | None = timestamp("When it was switched off.")
    last_location_status: str | None = text("Whether the device told where it is.", samples=("SUCCESS",))
    last_location_status_at: datetime | None = timestamp("When it was last asked for.")
    latitude: str | None = text(
        "Where it was, in degrees north, as sent.", source="last_location.", personal=Personal.IDENTITY
    )
    longitude: str | None = text(
        "Where it was, in degrees east, as sent.", source="last_location.", personal=Personal.IDENTITY
    )
    last_location_at: datetime | None = timestamp("When it was there.")
    sound_status: str | None = text("Whether it played a sound.", samples=("", "SUCCESS"))
    sound_status_at: datetime | None = timestamp("When it played a sound.")
    extra: Any = extra()


LOST_MODE = Resource(
    model=LostMode,
    path="/api/v1/devices/{device_id}/details/lostmode",
    rows_at="lost_mode",
    parent="devices",
    parent_key={"device_id": "device_id"},
    paging=Paging.WHOLE,
    swept=True,
    ttl=timedelta(hours=24),
    permission="Device lost mode details",
    platforms=("iPhone", "iPad"),
    empty_answer="not in lost mode",
    asks=(
        Ask(
            "Which devices are in lost mode, where",
            "SELECT d.device_name, l.lost_mode_status, l.latitude, l.longitude, l.last_location_at FROM "
            "lost_mode AS l JOIN devices AS d USING (device_id)",
        ),
    ),
)
