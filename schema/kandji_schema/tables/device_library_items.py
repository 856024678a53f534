"""State of library items on every device."""

from datetime import datetime, timedelta
from typing import Any

from sqlmodel import SQLModel

from kandji_schema.columns import Personal, extra, integer, text, timestamp
from kandji_schema.resource import Ask, Paging, Resource


class DeviceLibraryItem(SQLModel, table=True):
    """One row per device and library item meant for it: whether it is there, waits or failed."""

    __tablename__ = "device_library_items"

    device_id: str | None = text("Device; joins to devices.device_id.", key=True, references="devices.device_id")
    item_id: str | None = text(
        "Library item; joins to blueprint_library_items.id and to the id of custom_apps, custom_scripts and so on.",
        key=True,
        samples=(
            "4a98cb3d-3b55-46bf-829d-7dd7bd6ed832",
            "b81b0ed6-c703-45a0-8d49-8255ff21d413",
            "59be1e8e-5ba5-4bbc-bead-8b3e2006c3e5",
            "df1244ff-e6fd-4cd0-8705-f6e0c6917d98",
        ),
        references="blueprint_library_items.id",
    )
    id: int | None = integer("Number of this record at the provider.")
    name: str | None = text("Name of the library item.", samples=("zoom", "Microsoft Edge", "Custom Script", "Wi-Fi"))
    type: str | None = text(
        "custom-app, automatic-app, custom-script, profile and so on.",
        samples=("custom-app", "automatic-app", "custom-script", "profile", "threat-security-policy"),
    )
    status: str | None = text(
        "PASS, ERROR, PENDING, AVAILABLE, CACHED, DOWNLOADING, INSTALLING, CHANGE_PENDING, EXCLUDED or INCOMPATIBLE; "
        "of profiles success, failed or pending. Compare with upper(status): ERROR and FAILED are the failures.",
        samples=("PASS",) * 12 + ("ERROR", "PENDING", "AVAILABLE", "success", "success", "failed", "pending"),
    )
    reported_at: datetime | None = timestamp("When the device last reported it.")
    last_audit_log: str | None = text(
        "What the last check said; may hold what a script printed.",
        personal=Personal.FREE_TEXT,
        samples=("Firefox 82.0.2 is installed and up to date.", None),
    )
    log: str | None = text(
        "What the last run said; may hold what a script printed.",
        personal=Personal.FREE_TEXT,
        samples=("Downloading zoom\nCompleted download in six seconds.", None),
    )
    extra: Any = extra()


DEVICE_LIBRARY_ITEMS = Resource(
    model=DeviceLibraryItem,
    path="/api/v1/devices/{device_id}/status",
    rows_at="library_items",
    parent="devices",
    parent_key={"device_id": "device_id"},
    paging=Paging.WHOLE,
    swept=True,
    ttl=timedelta(hours=24),
    permission="Device status",
    why=(
        "Why device by device and not item by item: `GET /api/v1/library/library-items/{library_item_id}/status` "
        "has the devices of one item, 300 a page, which alone would be fewer requests in most fleets. But its "
        "rows have no `type`, and no list has that of Auto Apps and built-in profiles. The items themselves are "
        "listed by blueprint only, and nothing promises that a device has none but those of its blueprint of "
        "today: what is not asked for would be missing without a sign, and a device without rows could not be "
        "told from one without items. Nor would it save what it seems to: the one request to a Mac fills "
        "`device_parameters` too, which no other list has, so that only the other devices would be spared. "
        "`status` tells how many devices were read and what the rest costs."
    ),
    asks=(
        Ask(
            "What failed on which device",
            "SELECT d.device_name, i.name, i.type, i.status, i.reported_at FROM device_library_items AS i "
            "JOIN devices AS d USING (device_id) WHERE i.status ILIKE '%error%' OR i.status ILIKE '%fail%' "
            "ORDER BY i.reported_at DESC",
        ),
        Ask(
            "How an item stands on the fleet",
            "SELECT status, count(*) AS devices FROM device_library_items WHERE name = 'Zoom' GROUP BY ALL",
        ),
    ),
)
