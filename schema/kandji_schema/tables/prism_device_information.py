"""Hardware, operating system and enrolment as Prism collects them."""

from datetime import datetime, timedelta
from typing import Any

from kandji_schema.columns import Names, Personal, boolean, extra, number, text, timestamp
from kandji_schema.prism import ALWAYS_NULL, PrismRow, category
from kandji_schema.resource import Ask


class PrismDeviceInformation(PrismRow, table=True):
    """One row per device: hardware, operating system, enrolment, and the person and blueprint as Prism knows them."""

    __tablename__ = "prism_device_information"

    device_name: str | None = text("Name of the device.", source="device__name", personal=Personal.DEVICE)
    device_user_id: str | None = text(
        "Assigned user by the old numeric id; joins to users.deprecated_user_id.",
        source="device__user_id",
        personal=Personal.IDENTITY,
        references="users.deprecated_user_id",
    )
    device_user_name: str | None = text(
        "Name of the assigned user.",
        source="device__user_name",
        personal=Personal.IDENTITY,
        names=Names.FULL_NAME,
    )
    device_user_email: str | None = text(
        "E-mail address of the assigned user.",
        source="device__user_email",
        personal=Personal.IDENTITY,
        names=Names.ADDRESS,
    )
    blueprint_id: str | None = text("Blueprint of the device; joins to blueprints.id.", references="blueprints.id")
    blueprint_name: str | None = text("Name of that blueprint.")
    device_capacity: float | None = number("Capacity of the start volume in GB.", samples=(256.0, 512.0, 1024.0))
    host_name: str | None = text("Host name.", personal=Personal.DEVICE)
    local_hostname: str | None = text("Bonjour name.", personal=Personal.DEVICE)
    apple_silicon: bool | None = boolean("Whether the processor is Apple silicon.", samples=(True, True, True, False))
    model: str | None = text("Model, short.")
    model_name: str | None = text("Model, as marketed.")
    marketing_name: str | None = text("Name of the operating system, such as Sonoma.", samples=("Sonoma", "Sequoia"))
    model_identifier: str | None = text("Model identifier of older answers; see model_id.", unsent=True)
    shared_ipad: bool | None = boolean("Whether it is a Shared iPad.", samples=(False, None))
    cellular_technology: str | None = text("Cellular technology; the text None where there is none.", samples=("None",))
    data_roaming: bool | None = boolean("Whether data roaming is on.", samples=(False, None))
    hotspot: bool | None = boolean("Whether the personal hotspot is on.", samples=(None,))
    first_enrollment_date: datetime | None = timestamp("First enrolment.")
    last_enrollment_date: datetime | None = timestamp("Latest enrolment.")
    agent_version: str | None = text("Version and build of the agent.")
    mdm_enabled: bool | None = boolean("Whether MDM is enabled.", samples=(True,))
    agent_installed: bool | None = boolean("Whether the agent is installed.", samples=(True,))
    os_version: str | None = text("Version of the operating system.")
    os_build: str | None = text("Build of the operating system.")
    os_name: str | None = text("Name of the operating system in older answers.", unsent=True)
    supplemental_build_version: str | None = text("Build with Rapid Security Response.")
    supplemental_os_version_extra: str | None = text("Rapid Security Response suffix.")
    display_os_version: str | None = text("Version as shown to people.")
    last_checkin: datetime | None = timestamp("Last contact of any kind.", volatile=True)
    last_checkin_agent: datetime | None = timestamp("Last contact of the agent.", volatile=True)
    last_checkin_mdm: datetime | None = timestamp("Last contact by MDM.", volatile=True)
    battery_health: str | None = text("Battery health as reported.", samples=("Normal", "Normal", "Service", None))
    lost_mode_status: str | None = text("State of lost mode.")
    extra: Any = extra()


PRISM_DEVICE_INFORMATION = category(
    PrismDeviceInformation,
    "device_information",
    ttl=timedelta(minutes=2),
    full_every=timedelta(hours=6),
    platforms=(),
    ignored=ALWAYS_NULL,  # the one category that keeps the person and blueprint columns
    asks=(
        Ask(
            "How many of each model",
            "SELECT model_name, count(*) AS devices FROM prism_device_information GROUP BY ALL ORDER BY devices DESC",
        ),
        Ask(
            "Which batteries are worn",
            "SELECT device_name, serial_number, battery_health FROM prism_device_information WHERE "
            "battery_health IS NOT NULL AND battery_health <> 'Normal'",
        ),
    ),
)
