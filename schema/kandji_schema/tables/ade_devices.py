"""Devices of Automated Device Enrollment."""

from datetime import datetime, timedelta
from typing import Any

from sqlmodel import SQLModel

from kandji_schema.columns import Personal, boolean, extra, integer, text, texts, timestamp
from kandji_schema.resource import Ask, Paging, Resource


class AdeDevice(SQLModel, table=True):
    """One row per device that Apple assigned to the tenant, enrolled or still in its box."""

    __tablename__ = "ade_devices"

    id: str | None = text("Identifier of this record; not the device_id.", key=True)
    device_id: str | None = text(
        "The enrolled device; joins to devices.device_id. Empty while it awaits enrolment.",
        source="mdm_device.id",
        references="devices.device_id",
    )
    serial_number: str | None = text("Serial number, text.")
    device_family: str | None = text(
        "iPad, iPhone, iPod, Mac, AppleTV or Vision.", samples=("Mac", "Mac", "iPad", "iPhone", "AppleTV")
    )
    model: str | None = text("Model.", samples=("MacBook Air", "MacBook Pro", "iPad (8th Generation)", "iPhone 15"))
    os: str | None = text("iOS, iPadOS, OSX, tvOS or visionOS.", samples=("OSX", "iPadOS", "iOS", "tvOS"))
    color: str | None = text("Colour.", samples=("SPACE GRAY", "SILVER", "GOLD"))
    description: str | None = text("Apple's description.", samples=("MBA 13.6 SLV/8C GPU/8GB/256GB-USA",))
    asset_tag: str | None = text("Asset tag to be given, text.", samples=(None, "00417"))
    tags: list[str] | None = texts("Tags to be given.", samples=([], ["IT-Devices"]))
    blueprint_id: str | None = text(
        "Blueprint to be given; joins to blueprints.id. Empty under blueprint routing.",
        source=("blueprint_id", "blueprint.id", "blueprint"),
        references="blueprints.id",
    )
    use_blueprint_routing: bool | None = boolean("Whether routing chooses the blueprint.", samples=(True, False, None))
    user_id: str | None = text(
        "User to be assigned; joins to users.id.",
        source=("user_id", "user.id", "user"),
        personal=Personal.IDENTITY,
        references="users.id",
    )
    dep_account_id: str | None = text(
        "Token; joins to ade_integrations.id.", source="dep_account.id", references="ade_integrations.id"
    )
    dep_account_server_name: str | None = text(
        "Name of the token's MDM server.", source="dep_account.server_name", samples=("acme.kandji.io",)
    )
    device_name: str | None = text("Name of the enrolled device.", source="mdm_device.name", personal=Personal.DEVICE)
    enrolled_at: datetime | None = timestamp("When it enrolled.", source="mdm_device.")
    enrollment_status: int | None = integer(
        "State of the enrolment, a code of the provider without published meaning.",
        source="mdm_device.",
        samples=(3, 4),
    )
    deferred_install: bool | None = boolean(
        "Whether the installation was put off.", source="mdm_device.", samples=(False, False, True)
    )
    is_missing: bool | None = boolean(
        "Whether the provider counts the device as missing.", source="mdm_device.", samples=(False, True)
    )
    is_removed: bool | None = boolean("Whether the device was removed.", source="mdm_device.", samples=(False, True))
    profile_status: str | None = text(
        "empty, assigned, pushed or removed.", samples=("pushed", "pushed", "assigned", "empty", "removed")
    )
    profile_assign_time: datetime | None = timestamp("When the enrolment profile was assigned.")
    profile_push_time: datetime | None = timestamp("When the enrolment profile was pushed.")
    device_assigned_by: str | None = text("Who assigned it at Apple, an e-mail address.", personal=Personal.IDENTITY)
    device_assigned_date: datetime | None = timestamp("When it was assigned at Apple.")
    last_assignment_status: str | None = text("How the last assignment ended.", samples=("SUCCESS", "FAILED"))
    failed_assignment_attempts: int | None = integer("Failed assignments in a row.", samples=(0, 0, 2))
    assignment_status_received_at: datetime | None = timestamp("When that became known.")
    extra: Any = extra()


ADE_DEVICES = Resource(
    model=AdeDevice,
    path="/api/v1/integrations/apple/ade/devices",
    paging=Paging.COUNT,
    page_size=0,  # its pages are numbered and always 300 long
    ttl=timedelta(minutes=60),
    permission="Automated Device Enrollment: list devices",
    confirm="/api/v1/integrations/apple/ade/devices/{id}",
    asks=(
        Ask(
            "Which devices of Apple's list are not enrolled",
            "SELECT serial_number, model, profile_status FROM ade_devices WHERE enrolled_at IS NULL",
        ),
    ),
)
