"""The device list."""

from datetime import datetime, timedelta
from typing import Any

from sqlmodel import SQLModel

from kandji_schema.columns import Names, Personal, boolean, extra, text, texts, timestamp
from kandji_schema.resource import Ask, Paging, Resource


class Device(SQLModel, table=True):
    """One row per enrolled device of any platform; the table others join to. fleet says more of each."""

    __tablename__ = "devices"

    device_id: str | None = text("Identifier of the device, a UUID as text.", key=True)
    device_name: str | None = text("Name of the device; people often put theirs in it.", personal=Personal.DEVICE)
    model: str | None = text("Marketing name of the model, such as MacBook Air (M2, 2022).")
    serial_number: str | None = text("Serial number, text.")
    platform: str | None = text("Mac, iPhone, iPad, AppleTV, Windows, Android or whatever comes next.")
    os_version: str | None = text("Version of the operating system; compare with version_below(os_version, '14.6').")
    supplemental_build_version: str | None = text("Build of the operating system, such as 23E224.")
    supplemental_os_version_extra: str | None = text("Rapid Security Response suffix, such as (a).")
    last_check_in: datetime | None = timestamp(
        "Last contact by agent or MDM; empty for a device that never checked in.", volatile=True
    )
    user_id: str | None = text(
        "Assigned user; joins to users.id.",
        source=("user.id", "user_id"),
        personal=Personal.IDENTITY,
        references="users.id",
    )
    user_name: str | None = text(
        "Name of the assigned user.",
        source=("user.name", "user_name"),
        personal=Personal.IDENTITY,
        names=Names.FULL_NAME,
    )
    user_email: str | None = text(
        "E-mail address of the assigned user.",
        source=("user.email", "user_email"),
        personal=Personal.IDENTITY,
        names=Names.ADDRESS,
    )
    user_is_archived: bool | None = boolean(
        "Whether the assigned user is archived.", source=("user.is_archived", "user_is_archived")
    )
    asset_tag: str | None = text("Asset tag, text; leading zeros are kept.")
    blueprint_id: str | None = text(
        "Blueprint of the device; joins to blueprints.id. Empty under blueprint routing.", references="blueprints.id"
    )
    blueprint_name: str | None = text("Name of that blueprint.")
    mdm_enabled: bool | None = boolean("Whether MDM is enabled.")
    agent_installed: bool | None = boolean("Whether the Kandji agent (Iru Agent since April 2026) is installed.")
    agent_version: str | None = text("Version and build of the agent, such as 4.5.9 (5160).")
    is_missing: bool | None = boolean("Whether the provider counts the device as missing.")
    is_removed: bool | None = boolean("Whether the device was removed; such rows stay listed.")
    is_supervised: bool | None = boolean(
        "Whether the device is supervised; the list does not send it today.", unsent=True
    )
    is_dep_enrolled: bool | None = boolean(
        "Whether it came by Automated Device Enrollment; the list does not send it today.", unsent=True
    )
    first_enrollment: datetime | None = timestamp("First enrolment.")
    last_enrollment: datetime | None = timestamp("Latest enrolment.")
    lost_mode_status: str | None = text("State of lost mode; empty when it was never used.")
    tags: list[str] | None = texts("Names of the device's tags.")
    api_level: str | None = text("Android: API level.")
    security_patch_level: str | None = text("Android: date of the security patch.")
    full_software_version: str | None = text("Windows and Android: full version of the software.")
    extra: Any = extra()


DEVICES = Resource(
    model=Device,
    path="/api/v1/devices",
    paging=Paging.ARRAY,
    params={"ordering": "device_id"},  # check-ins then do not reshuffle the pages of a walk
    ttl=timedelta(minutes=5),
    permission="Device list",
    confirm="/api/v1/devices/{device_id}",
    tracked=True,
    asks=(
        Ask(
            "How many devices of each platform",
            "SELECT platform, count(*) AS devices, count(*) FILTER (is_missing) AS missing FROM devices GROUP"
            " BY ALL ORDER BY devices DESC",
        ),
        Ask(
            "Which have not checked in for 30 days",
            "SELECT device_name, serial_number, user_email, last_check_in FROM devices WHERE last_check_in < "
            "now() - INTERVAL 30 DAY ORDER BY last_check_in",
        ),
        Ask(
            "Which Macs run an old system",
            "SELECT device_name, serial_number, os_version FROM devices WHERE platform = 'Mac' AND "
            "version_below(os_version, '15.1')",
        ),
        Ask(
            "Which carry a tag",
            "SELECT device_name, serial_number FROM devices WHERE list_contains(tags, 'lab')",
        ),
    ),
)
