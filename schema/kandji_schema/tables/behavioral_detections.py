"""Suspicious behaviour of processes."""

from datetime import datetime, timedelta
from typing import Any

from sqlmodel import SQLModel

from kandji_schema.columns import Personal, extra, integer, text, texts, timestamp
from kandji_schema.resource import Ask, Paging, Resource


class BehavioralDetection(SQLModel, table=True):
    """One row per time that a process on a device behaved as a detection rule describes."""

    __tablename__ = "behavioral_detections"

    id: str | None = text("Identifier of the detection.", key=True)
    detection_date: datetime | None = timestamp("When it was seen.")
    threat_id: str | None = text("The rule.", samples=("KTI_BD_0163", "KTI_BD_2796", "KTI_BD_0141"))
    rule_version: int | None = integer("Version of the rule.", samples=(2, 4, 10))
    description: str | None = text("What the rule looks for.", samples=("Detects removal of a launch daemon.",))
    classification: str | None = text("malicious or suspicious.", samples=("malicious", "suspicious"))
    threat_status: str | None = text(
        "detected, blocked, informational or as the provider calls it.",
        samples=("detected", "blocked", "informational"),
    )
    informational_tags: list[str] | None = texts("Tags of the rule.", samples=([], ["exec", "Launch Daemon"]))
    malware_family: list[str] | None = texts("Families of malware it is known of.", samples=([], ["3CX", "Adware.Gen"]))
    device_id: str | None = text(
        "Device; joins to devices.device_id.", source="device_info.id", references="devices.device_id"
    )
    device_name: str | None = text(
        "Name of the device at that time.", source="device_info.name", personal=Personal.DEVICE
    )
    device_serial_number: str | None = text("Serial number of the device.", source="device_info.serial_number")
    target_process_name: str | None = text(
        "Process that did it.", source="target_process.name", samples=("vim", "sudo", "curl")
    )
    target_process_command_line: str | None = text(
        "Its command line.", source="target_process.command_line", personal=Personal.FREE_TEXT
    )
    target_process_image_path: str | None = text(
        "Its program.", source="target_process.image_path", personal=Personal.PATH, samples=("/usr/bin/vim",)
    )
    target_process_pid: int | None = integer("Its number.", source="target_process.pid")
    target_process_owner: str | None = text(
        "Local account that ran it.", source="target_process.owner", personal=Personal.IDENTITY
    )
    target_process_sha256: str | None = text(
        "SHA-256 of its program, in hexadecimal.",
        source="target_process.sha256",
        samples=("c765f827442004d59ac6bd907f16fbda645f970a3bec94c2651a9f297a0f8030",),
    )
    parent_process_name: str | None = text(
        "Process that started it.", source="parent_process.name", samples=("zsh", "launchd")
    )
    parent_process_command_line: str | None = text(
        "Command line of that.", source="parent_process.command_line", personal=Personal.FREE_TEXT
    )
    parent_process_image_path: str | None = text(
        "Program of that.", source="parent_process.image_path", personal=Personal.PATH, samples=("/bin/zsh",)
    )
    parent_process_pid: int | None = integer("Number of that.", source="parent_process.pid")
    parent_process_owner: str | None = text(
        "Local account that ran that.", source="parent_process.owner", personal=Personal.IDENTITY
    )
    parent_process_sha256: str | None = text(
        "SHA-256 of its program, in hexadecimal.",
        source="parent_process.sha256",
        samples=("0ba6f44f486330453af994834aa406c8d398bfda68a54f3176bf3696ccc09c91",),
    )
    library_item_id: str | None = text(
        "Library item with the policy; blueprint_library_items.id joins to it.",
        source="library_item.id",
        references="blueprint_library_items.id",
    )
    library_item_name: str | None = text(
        "Name of that library item.", source="library_item.name", samples=("Threat LI",)
    )
    malware_posture: str | None = text(
        "protect or detect.", source="library_item.mal_posture_mode", samples=("protect", "detect")
    )
    blueprint_id: str | None = text(
        "Blueprint of the device at that time; joins to blueprints.id.",
        source="blueprint.id",
        references="blueprints.id",
    )
    blueprint_name: str | None = text(
        "Name of that blueprint.", source="blueprint.name", samples=("All Staff", "Engineering")
    )
    extra: Any = extra()


BEHAVIORAL_DETECTIONS = Resource(
    model=BehavioralDetection,
    path="/api/v1/behavioral-detections",
    paging=Paging.OFFSET,
    page_size=1_000,  # the most this endpoint allows
    ttl=timedelta(minutes=10),
    permission="Behavioral detections",
    licensed=True,
    asks=(
        Ask(
            "Which processes behaved badly, where",
            "SELECT detection_date, device_name, target_process_name, classification, threat_status FROM "
            "behavioral_detections ORDER BY detection_date DESC",
        ),
    ),
)
