"""What all Prism categories share: the columns of every row, and how a category is read."""

from datetime import datetime, timedelta
from typing import Any

from sqlmodel import SQLModel

from kandji_schema.columns import text, texts, timestamp
from kandji_schema.resource import Paging, Resource

MAC = ("Mac",)
APPLE = ("Mac", "iPhone", "iPad", "AppleTV")

DENORMALISED = frozenset(
    {
        "device__name",
        "device__user_id",
        "device__user_name",
        "device__user_email",
        "blueprint_id",
        "blueprint_name",
    }
)
"""Person and blueprint of the device, which the provider repeats in every row of every category. They are stored once,
in ``prism_device_information`` and ``devices``: their change need not move ``updated_at``, so copies would lie."""

ALWAYS_NULL = frozenset({"count"})
"""Sent by the provider, null in every answer seen."""


class PrismRow(SQLModel):
    """The columns every Prism row begins with."""

    device_id: str | None = text(
        "Device the row belongs to; joins to devices.device_id.", key=True, references="devices.device_id"
    )
    device_family: str | None = text("Mac, iPhone, iPad or AppleTV.", source="device__family")
    serial_number: str | None = text("Serial number of the device.")
    model_id: str | None = text("Apple's model identifier, such as Mac14,2.")
    asset_tag: str | None = text("Asset tag of the device, as text.")
    tags: list[str] | None = texts("Tags of the device; the provider usually leaves this empty here, see devices.tags.")
    created_at: datetime | None = timestamp("When the provider first saw this row.")
    updated_at: datetime | None = timestamp(
        "When the provider last wrote this row: at every collection for categories with one row a device, at a change "
        "of content for the others.",
        volatile=True,
    )
    last_changed_at: datetime | None = timestamp("When the content last changed; often empty.", volatile=True)
    last_collected_at: datetime | None = timestamp(
        "When the device last reported this: the age of the fact itself.", volatile=True
    )


def category(model: type[SQLModel], name: str, *, ttl: timedelta, platforms: tuple[str, ...], **facts: Any) -> Resource:
    """Make the resource of a Prism category called ``name`` by the provider. ``facts`` override what all share."""
    shared: dict[str, Any] = {"ignored": DENORMALISED | ALWAYS_NULL, "tracked": True, "full_every": timedelta(hours=24)}
    return Resource(
        model=model,
        path=f"/api/v1/prism/{name}",
        category=name,
        paging=Paging.PRISM,
        ttl=ttl,
        permission="Prism",
        platforms=platforms,
        **{**shared, **facts},
    )
