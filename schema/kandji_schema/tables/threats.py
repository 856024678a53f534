"""Malware and unwanted programs found on devices."""

from datetime import datetime, timedelta
from typing import Any

from sqlmodel import SQLModel

from kandji_schema.columns import Personal, extra, text, texts, timestamp
from kandji_schema.resource import Ask, Paging, Resource, Successor


class Threat(SQLModel, table=True):
    """One row per device and file that was found to be malware or unwanted, each time it was found."""

    __tablename__ = "threats"

    # The older endpoint gives no identifier; the first four tell its rows apart and do not change with the status. Of
    # the newer one, whose answers are not published, clients know the identifier.
    device_id: str | None = text(
        "Device; joins to devices.device_id.",
        key=True,
        source=("device_id", "device.id", "device_info.id"),
        references="devices.device_id",
    )
    detection_date: datetime | None = timestamp(
        "When it was found.", key=True, samples=("2025-04-21T17:23:13.883134", "2025-05-02T08:00:00")
    )
    file_path: str | None = text(
        "The file.",
        key=True,
        personal=Personal.PATH,
        samples=("/Users/Shared/malware/malware_5", "/private/var/tmp/malware_7"),
    )
    file_hash: str | None = text(
        "SHA-256 of the file, in hexadecimal.",
        key=True,
        samples=("2ab79665b07b3be11dd1d4f2d0bafa886a4b393b28ffedb2a02f62efd0061858",),
    )
    id: str | None = text(
        "Identifier of the finding; only of the provider's newer endpoint.", key=True, samples=(None,), unsent=True
    )
    threat_name: str | None = text("Name of the threat.", samples=("malware_5", "Adload", "Pirrit"))
    classification: str | None = text("MALWARE, or PUP for unwanted programs.", samples=("MALWARE", "MALWARE", "PUP"))
    status: str | None = text(
        "QUARANTINED, NOT_QUARANTINED or RELEASED.",
        samples=("QUARANTINED", "QUARANTINED", "NOT_QUARANTINED", "RELEASED"),
    )
    severity: str | None = text("How bad it is; only of the newer endpoint.", samples=(None,), unsent=True)
    management_state: str | None = text(
        "How far it is dealt with; only of the newer endpoint.", samples=(None,), unsent=True
    )
    tags: list[str] | None = texts("Tags of the finding; only of the newer endpoint.", samples=(None,), unsent=True)
    date_of_quarantine: datetime | None = timestamp("When it was quarantined.")
    date_of_release: datetime | None = timestamp("When it was released from quarantine.")
    released_by: str | None = text("Who released it.", personal=Personal.IDENTITY)
    release_note: str | None = text("Why it was released.", personal=Personal.FREE_TEXT)
    process_name: str | None = text("Process that touched the file.", samples=("chmod", "Safari", "curl"))
    process_owner: str | None = text("Local account that ran the process.", personal=Personal.IDENTITY)
    bundle_path: str | None = text("The app the file is part of.", personal=Personal.PATH, samples=("", None))
    malware_posture: str | None = text("protect or detect, for malware.", samples=("protect", "detect", None))
    pup_posture: str | None = text("protect or detect, for unwanted programs.", samples=("protect", "detect", None))
    library_item_id: str | None = text(
        "Library item with the policy; blueprint_library_items.id joins to it.", references="blueprint_library_items.id"
    )
    library_item_name: str | None = text("Name of that library item.", samples=("Avert",))
    device_name: str | None = text("Name of the device at that time.", personal=Personal.DEVICE)
    device_serial_number: str | None = text("Serial number of the device.")
    blueprint_id: str | None = text(
        "Blueprint of the device at that time; joins to blueprints.id.", references="blueprints.id"
    )
    blueprint_name: str | None = text("Name of that blueprint.", samples=("All Staff", "Engineering"))
    extra: Any = extra()


THREATS = Resource(
    model=Threat,
    path="/api/v1/threat-details",
    paging=Paging.OFFSET,
    page_size=1_000,  # the most this endpoint allows
    ttl=timedelta(minutes=10),
    permission="Threat details",
    licensed=True,
    successor=Successor(
        path="/api/v2/threat/threat-details",
        params={"statuses": "quarantined,not_quarantined,released"},  # required; those of the older endpoint
    ),
    asks=(
        Ask(
            "Which malware was found, where",
            "SELECT detection_date, device_name, threat_name, classification, status FROM threats ORDER BY "
            "detection_date DESC",
        ),
    ),
)
